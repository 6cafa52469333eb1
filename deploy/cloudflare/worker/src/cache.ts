// The cache of entries, in Cloudflare's Cache API.
//
// An entry is cached under the plain URL of the registry's address, on the
// registry's own host and without headers that would vary it, because a purge
// by URL reaches no other key (developers.cloudflare.com/workers/reference/
// how-the-cache-works). A purge by prefix, by host and of everything reach it too.

import { discard, type Entry } from "./entry";
import { sharedLifetime } from "./lifetime";

/** As much of the Cache API as is used here. */
export interface EntryCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
  delete(url: string): Promise<boolean>;
}

/** When the entry came out of the bucket, in milliseconds since 1970. */
const storedHeader = "X-Registrar-Stored";

/** The entry of a URL; undefined where there is none that can be used. */
export async function cached(cache: EntryCache, url: string, now: number): Promise<Entry | undefined> {
  const response = await cache.match(url);
  if (response === undefined) {
    return undefined;
  }
  const { status, headers, body } = response;
  const stored = Number(headers.get(storedHeader) ?? "NaN");
  const control = headers.get("Cache-Control");
  if ((status !== 200 && status !== 404) || body === null || control === null || Number.isNaN(stored)) {
    discard(body);
    return undefined;
  }
  const entry: Entry = {
    status,
    body,
    cacheControl: control,
    age: Math.max(0, Math.floor((now - stored) / 1000)),
  };
  const etag = headers.get("ETag");
  const location = headers.get("X-Terraform-Get");
  return { ...entry, ...(etag !== null && { etag }), ...(location !== null && { location }) };
}

/** Keeps an entry with a body of its own, if its Cache-Control allows it. */
export async function keep(cache: EntryCache, url: string, entry: Entry, now: number): Promise<boolean> {
  if (sharedLifetime(entry.cacheControl) === 0) {
    return false;
  }
  const headers = new Headers({
    "Content-Type": "application/json",
    "Cache-Control": entry.cacheControl,
    [storedHeader]: String(now),
  });
  if (entry.etag !== undefined) {
    headers.set("ETag", entry.etag);
  }
  if (entry.location !== undefined) {
    headers.set("X-Terraform-Get", entry.location);
  }
  await cache.put(url, new Response(entry.body, { status: entry.status, headers }));
  return true;
}
