// An entry is what the edge knows of one address: the object that is there, or
// that there is none. It comes out of the bucket or out of the cache.

import { absentCacheControl, cacheControl } from "./lifetime";

export interface Entry {
  status: 200 | 404;
  body: ArrayBuffer | ReadableStream;
  cacheControl: string;
  /** The quoted entity tag; absent for a miss. */
  etag?: string;
  /** Where a module's package is, for X-Terraform-Get. */
  location?: string;
  /** How many seconds ago it came out of the bucket. */
  age: number;
}

/** As much of an R2 object as is used here. */
export interface StoredObject {
  readonly size: number;
  readonly httpEtag: string;
  readonly httpMetadata?: { cacheControl?: string };
  readonly customMetadata?: Record<string, string>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The largest object that is served; the largest list of the public registry has half a MiB. */
const largestObject = 8 << 20;
/** A module's answer is one location, so that more is not even parsed. */
const largestLocationAnswer = 64 << 10;
const longestLocation = 8 << 10;
const visibleASCII = /^[\x21-\x7e]+$/;

/** The body of every error, as the registry protocols have it. */
export function errorBody(message: string): ArrayBuffer {
  const bytes = new TextEncoder().encode(JSON.stringify({ errors: [message] }));
  return bytes.buffer as ArrayBuffer;
}

/** Gives up a body that nobody will read, without waiting for it. */
export function discard(body: ArrayBuffer | ReadableStream | null): void {
  if (body !== null && !(body instanceof ArrayBuffer)) {
    body.cancel().catch(() => undefined);
  }
}

export function absentEntry(): Entry {
  return { status: 404, body: errorBody("not found"), cacheControl: absentCacheControl, age: 0 };
}

/**
 * The entry of an object. The whole body is read before anything is answered,
 * so that a bucket that fails half-way gives an error instead of half a list.
 */
export async function objectEntry(key: string, object: StoredObject): Promise<Entry> {
  if (object.size > largestObject) {
    throw new Error(`the object has ${object.size} bytes, more than the ${largestObject} that are served`);
  }
  const body = await object.arrayBuffer();
  const entry: Entry = {
    status: 200,
    body,
    cacheControl: cacheControl(key, object.httpMetadata?.cacheControl),
    etag: object.httpEtag,
    age: 0,
  };
  const location = moduleLocation(key, object.customMetadata, body);
  return location === undefined ? entry : { ...entry, location };
}

/**
 * Where the package of a module's version is: the metadata "location" of its
 * download object, else "location" in its body. What cannot stand in a header
 * is left to the body, which OpenTofu reads.
 */
function moduleLocation(key: string, metadata: Record<string, string> | undefined, body: ArrayBuffer): string | undefined {
  if (!key.startsWith("v1/modules/") || !key.endsWith("/download")) {
    return undefined;
  }
  const location = metadata?.["location"] ?? bodyLocation(body);
  if (location === undefined || location.length > longestLocation || !visibleASCII.test(location)) {
    return undefined;
  }
  return location;
}

function bodyLocation(body: ArrayBuffer): string | undefined {
  if (body.byteLength > largestLocationAnswer) {
    return undefined;
  }
  try {
    const answer: unknown = JSON.parse(new TextDecoder().decode(body));
    if (typeof answer === "object" && answer !== null && "location" in answer && typeof answer.location === "string") {
      return answer.location;
    }
  } catch {
    // The publisher wrote it, and a client will complain of it: nothing to add here.
  }
  return undefined;
}
