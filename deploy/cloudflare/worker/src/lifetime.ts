// How long answers may be kept.

/** A miss is asked for again soon: it may be the version that is just coming out. */
export const absentCacheControl = "public, max-age=10";

// Used where an object was stored without a Cache-Control of its own; the same
// that the publisher stores.
const listCacheControl = "public, max-age=60";
const downloadCacheControl = "public, max-age=86400";
const otherCacheControl = "public, max-age=3600";

const longestHeader = 256;
const visibleASCII = /^[\x20-\x7e]+$/;

/** The Cache-Control of an object: as stored with it, else by its kind. */
export function cacheControl(key: string, stored: string | undefined): string {
  if (stored !== undefined && stored.length <= longestHeader && visibleASCII.test(stored)) {
    return stored;
  }
  if (key.endsWith("/versions")) {
    return listCacheControl;
  }
  return key.startsWith("v1/") ? downloadCacheControl : otherCacheControl;
}

/** For how many seconds a shared cache may keep an answer; 0 for not at all. */
export function sharedLifetime(header: string): number {
  const directives = new Map<string, string>();
  for (const part of header.toLowerCase().split(",")) {
    const [name = "", value = ""] = part.split("=", 2);
    directives.set(name.trim(), value.trim().replaceAll('"', ""));
  }
  if (directives.has("no-store") || directives.has("no-cache") || directives.has("private")) {
    return 0;
  }
  const seconds = Number(directives.get("s-maxage") ?? directives.get("max-age") ?? "0");
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : 0;
}
