// Which object of the bucket a URL names, and under which URL it is cached.

/** The longest path in bytes that can name an object (R2's limit on keys). */
const longestPath = 1024;
const longestSegment = 255;

/**
 * What stands between two slashes in the addresses of the registry protocols:
 * names, versions ("1.0.0-rc.1+build.5"), platforms. No "%" is left in it, so
 * that nothing is decoded twice; no letter outside ASCII, of which some become
 * an ASCII letter in lower case (the Kelvin sign a "k").
 */
const plainSegment = /^[A-Za-z0-9._+-]+$/;

/**
 * The key of the object that a URL names, in lower case and without a leading
 * slash; undefined where there can be none. Names with a leading dot are private
 * (".registrar/" is the publisher's book-keeping), but for "/.well-known/".
 * The query is not part of an address.
 */
export function objectKey(url: URL): string | undefined {
  if (url.pathname.length > longestPath) {
    return undefined;
  }
  const segments: string[] = [];
  for (const raw of url.pathname.slice(1).split("/")) {
    const segment = decoded(raw);
    if (segment === undefined || segment.length > longestSegment || !plainSegment.test(segment)) {
      return undefined;
    }
    const lower = segment.toLowerCase();
    const discovery = segments.length === 0 && lower === ".well-known";
    if (lower.startsWith(".") && !discovery) {
      return undefined;
    }
    segments.push(lower);
  }
  return segments.join("/");
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/**
 * The URL under which the answer for an object is cached: the registry's own
 * address of it, to which every spelling of a request comes down. It is the one
 * to purge: base URL, slash, key.
 */
export function cacheURL(url: URL, key: string): string {
  return `https://${url.host}/${key}`;
}
