import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { connection } from "./api/connection";
import { identity } from "./api/identity";
import { onReconnected } from "./api/keys";
import { Root } from "./routes/Root";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/parts.css";
import "./ui/media.css";

// The API client tries again by itself, so that queries need not.
const queries = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: "always" } } });
connection.subscribe((state) => {
  if (state === "online") void onReconnected(queries);
});
identity.subscribe(() => queries.clear());

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with id root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Root />
    </QueryClientProvider>
  </StrictMode>,
);
