import { describe, expect, it } from "vitest";
import { contentSecurityPolicy } from "./csp.ts";

describe("contentSecurityPolicy", () => {
  it("allows exactly the API, its WebSocket and R2 for a deployed site", () => {
    const policy = contentSecurityPolicy({ api: "https://api.example.test", storage: "" });
    expect(policy).toContain(
      "connect-src 'self' https://api.example.test wss://api.example.test https://*.r2.cloudflarestorage.com;",
    );
    expect(policy).not.toContain("127.0.0.1");
  });

  it("allows loopback storage only beside a loopback API", () => {
    expect(contentSecurityPolicy({ api: "http://127.0.0.1:8000", storage: "" })).toContain("http://127.0.0.1:*");
    expect(contentSecurityPolicy({ api: "", storage: "" })).not.toContain("127.0.0.1");
  });

  it("refuses an address without a scheme", () => {
    expect(() => contentSecurityPolicy({ api: "api.example.test", storage: "" })).toThrow();
  });
});
