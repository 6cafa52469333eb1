// How an entry, or an error, is told to a client.

import { discard, type Entry, errorBody } from "./entry";

const methods = "GET, HEAD, OPTIONS";

/** On every answer: readable by any page, and nothing but data. */
const common: Record<string, string> = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": "ETag, X-Terraform-Get",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
};

/** Where the entry came from, in the words of RFC 9211. */
export type Source = "hit" | "fwd=miss";

/**
 * The answer to a GET or HEAD; the runtime leaves out the body of the latter.
 * A 304 has the headers that the 200 would have had (RFC 9110, section 15.4.5).
 */
export function entryAnswer(request: Request, entry: Entry, source: Source): Response {
  const headers = new Headers(common);
  headers.set("Cache-Control", entry.cacheControl);
  headers.set("Cache-Status", `registrar; ${source}`);
  if (source === "hit") {
    headers.set("Age", String(entry.age));
  }
  if (entry.etag !== undefined) {
    headers.set("ETag", entry.etag);
  }
  if (entry.location !== undefined) {
    headers.set("X-Terraform-Get", entry.location);
  }
  if (entry.status === 200 && entry.etag !== undefined && matches(request.headers.get("If-None-Match"), entry.etag)) {
    discard(entry.body);
    return new Response(null, { status: 304, headers });
  }
  headers.set("Content-Type", "application/json");
  return new Response(entry.body, { status: entry.status, headers });
}

/**
 * Whether an If-None-Match names the entity tag. They are compared weakly:
 * Cloudflare makes a tag weak when it compresses the answer.
 */
function matches(header: string | null, etag: string): boolean {
  if (header === null) {
    return false;
  }
  const strong = (tag: string) => tag.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((tag) => strong(tag) === strong(etag));
}

export function preflight(): Response {
  const headers = new Headers(common);
  headers.set("Allow", methods);
  headers.set("Access-Control-Allow-Methods", methods);
  headers.set("Access-Control-Allow-Headers", "*");
  headers.set("Access-Control-Max-Age", "86400");
  return new Response(null, { status: 204, headers });
}

export function methodNotAllowed(): Response {
  return failure(405, "method not allowed", { Allow: methods });
}

/** The bucket did not answer. Clients try a 5xx again by themselves. */
export function unavailable(): Response {
  return failure(503, "the registry cannot read this now", { "Retry-After": "10" });
}

function failure(status: number, message: string, more: Record<string, string>): Response {
  const headers = new Headers({ ...common, ...more, "Content-Type": "application/json", "Cache-Control": "no-store" });
  return new Response(errorBody(message), { status, headers });
}
