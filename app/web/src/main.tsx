import { type Query, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { setApiUrl } from "./api/address";
import { type Config, loadConfig } from "./api/config";
import { connection } from "./api/connection";
import { identity } from "./api/identity";
import { isRefreshed, refreshAll } from "./api/keys";
import { library } from "./api/library";
import { describe } from "./api/problem";
import { Misconfigured } from "./routes/Misconfigured";
import { Root } from "./routes/Root";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/parts.css";
import "./ui/media.css";

const STORAGE_AWAY_MS = 10_000;

const element = document.getElementById("root");
if (element === null) throw new Error("index.html has no element with id root");
const page = createRoot(element);

function start({ apiUrl }: Config): void {
  setApiUrl(apiUrl);
  // The API client tries again by itself, so that queries need not; they ask again only while storage is away.
  const refetchInterval = (query: Query) =>
    library.state().ageSeconds !== null && isRefreshed(query) ? STORAGE_AWAY_MS : false;
  const queries = new QueryClient({
    defaultOptions: { queries: { retry: false, networkMode: "always", refetchInterval } },
  });
  connection.subscribe((state) => {
    if (state === "online") void refreshAll(queries);
  });
  identity.subscribe(() => {
    queries.clear();
    library.forget();
  });
  page.render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Root />
      </QueryClientProvider>
    </StrictMode>,
  );
}

loadConfig().then(start, (error: unknown) => page.render(<Misconfigured reason={describe(error)} />));
