// What the edge does with a request: look in the cache, else in the bucket.

import { cacheURL, objectKey } from "./address";
import { entryAnswer, methodNotAllowed, preflight, unavailable } from "./answer";
import { cached, type EntryCache, keep } from "./cache";
import { absentEntry, type Entry, objectEntry, type StoredObject } from "./entry";
import { sharedLifetime } from "./lifetime";

/** As much of an R2 bucket as is used here. */
export interface Bucket {
  get(key: string): Promise<StoredObject | null>;
  head(key: string): Promise<{ readonly httpEtag: string } | null>;
}

/** What a request is answered with. */
export interface Edge {
  bucket: Bucket;
  cache: EntryCache;
  /** Lets work go on after the answer. */
  defer(work: Promise<unknown>): void;
  /** Milliseconds since 1970. */
  now(): number;
  /** Tells the operator. */
  report(what: string, key: string, error: unknown): void;
}

// How long to wait for each, in milliseconds.
const cachePatience = 2_000;
const bucketPatience = 10_000;

/** From this lifetime on, in seconds, a kept entry is looked at again: see settle. */
const longLived = 300;

export async function answer(request: Request, edge: Edge): Promise<Response> {
  switch (request.method) {
    case "GET":
    case "HEAD":
      return read(request, edge);
    case "OPTIONS":
      return preflight();
    default:
      return methodNotAllowed();
  }
}

async function read(request: Request, edge: Edge): Promise<Response> {
  const url = new URL(request.url);
  const key = objectKey(url);
  if (key === undefined) {
    return entryAnswer(request, absentEntry(), "fwd=miss");
  }
  const at = cacheURL(url, key);
  const known = await fromCache(edge, at, key);
  if (known !== undefined) {
    return entryAnswer(request, known, "hit");
  }
  try {
    const entry = await within(bucketPatience, fromBucket(edge.bucket, key));
    edge.defer(settle(edge, at, key, entry));
    return entryAnswer(request, entry, "fwd=miss");
  } catch (error) {
    edge.report("cannot read the bucket", key, error);
    return unavailable();
  }
}

/** A cache that fails is only slow: the bucket answers. */
async function fromCache(edge: Edge, at: string, key: string): Promise<Entry | undefined> {
  try {
    return await within(cachePatience, cached(edge.cache, at, edge.now()));
  } catch (error) {
    edge.report("cannot read the cache", key, error);
    return undefined;
  }
}

async function fromBucket(bucket: Bucket, key: string): Promise<Entry> {
  const object = await bucket.get(key);
  return object === null ? absentEntry() : objectEntry(key, object);
}

/**
 * Keeps an entry, and takes it back if the object has changed meanwhile: its
 * purge may have come after it was read and before it was kept, and would not
 * come again. R2 is strongly consistent, so an object that is still the same
 * after the keeping will be purged after it. A short-lived entry is not worth
 * the look.
 */
async function settle(edge: Edge, at: string, key: string, entry: Entry): Promise<void> {
  try {
    const kept = await keep(edge.cache, at, entry, edge.now());
    if (!kept || sharedLifetime(entry.cacheControl) < longLived) {
      return;
    }
    const live = await within(bucketPatience, edge.bucket.head(key)).catch(() => null);
    if (live?.httpEtag !== entry.etag) {
      await edge.cache.delete(at);
    }
  } catch (error) {
    edge.report("cannot write the cache", key, error);
  }
}

async function within<T>(patience: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
