// A bucket and a cache in memory, which can fail.

import type { EntryCache } from "../src/cache";
import type { Bucket, Edge } from "../src/edge";
import type { StoredObject } from "../src/entry";

export interface FakeObject {
  body: string;
  cacheControl?: string;
  location?: string;
  size?: number;
}

export class FakeBucket implements Bucket {
  objects = new Map<string, FakeObject>();
  /** Every call, as "get KEY" or "head KEY". */
  calls: string[] = [];
  fault: "none" | "get" | "body" | "hang" = "none";

  async get(key: string): Promise<StoredObject | null> {
    this.calls.push(`get ${key}`);
    if (this.fault === "get") {
      throw new Error("get: internal error (10001)");
    }
    if (this.fault === "hang") {
      return new Promise(() => undefined);
    }
    const object = this.objects.get(key);
    if (object === undefined) {
      return null;
    }
    const bytes = new TextEncoder().encode(object.body);
    const broken = this.fault === "body";
    return {
      size: object.size ?? bytes.byteLength,
      httpEtag: etagOf(object.body),
      httpMetadata: object.cacheControl === undefined ? {} : { cacheControl: object.cacheControl },
      customMetadata: object.location === undefined ? {} : { location: object.location },
      async arrayBuffer() {
        if (broken) {
          throw new Error("the stream was cut off");
        }
        return bytes.buffer as ArrayBuffer;
      },
    };
  }

  async head(key: string): Promise<{ httpEtag: string } | null> {
    this.calls.push(`head ${key}`);
    const object = this.objects.get(key);
    return object === undefined ? null : { httpEtag: etagOf(object.body) };
  }
}

export class FakeCache implements EntryCache {
  entries = new Map<string, Response>();
  fault: "none" | "match" | "hang" | "put" = "none";
  /** Runs just before an entry is put: what others do meanwhile. */
  beforePut: () => void = () => undefined;

  async match(url: string): Promise<Response | undefined> {
    if (this.fault === "match") {
      throw new Error("the cache is down");
    }
    if (this.fault === "hang") {
      return new Promise(() => undefined);
    }
    return this.entries.get(url)?.clone() as Response | undefined;
  }

  async put(url: string, response: Response): Promise<void> {
    if (this.fault === "put") {
      throw new Error("the cache is full");
    }
    this.beforePut();
    this.entries.set(url, response);
  }

  async delete(url: string): Promise<boolean> {
    return this.entries.delete(url);
  }
}

/** An edge whose deferred work can be waited for and whose clock is set by hand. */
export class FakeEdge implements Edge {
  bucket = new FakeBucket();
  cache = new FakeCache();
  time = 1_000_000;
  reports: string[] = [];
  private deferred: Promise<unknown>[] = [];

  defer(work: Promise<unknown>): void {
    this.deferred.push(work);
  }
  now(): number {
    return this.time;
  }
  report(what: string, key: string, error: unknown): void {
    this.reports.push(`${what} (${key}): ${error instanceof Error ? error.message : String(error)}`);
  }
  async idle(): Promise<void> {
    await Promise.all(this.deferred.splice(0));
  }
}

/** An entity tag that differs where bodies do. */
export function etagOf(body: string): string {
  return `"${[...body].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 0xffffffff, 7).toString(16)}"`;
}
