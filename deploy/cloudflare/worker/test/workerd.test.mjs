// The Worker as it is deployed, in real workerd with a real bucket and cache.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld } from "./world.mjs";

const list = "v1/providers/acme/demo/versions";
const moduleDownload = "v1/modules/acme/net/aws/1.0.0/download";
const location = "git::https://github.com/acme/terraform-aws-net?ref=0123abcd";

let world;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(() => world?.stop());

const put = (key, body, cacheControl) =>
  world.bucket.put(key, body, { httpMetadata: { contentType: "application/octet-stream", cacheControl } });
const purge = (...keys) => world.purge(keys.map((key) => `${world.origin.replace("http:", "https:")}/${key}`));

/** Asks again until the answer is cached, which happens after the first one was given. */
async function untilCached(path) {
  for (let tries = 0; tries < 100; tries++) {
    const response = await world.fetch(path);
    if (response.headers.get("Cache-Status") === "registrar; hit") {
      return response;
    }
    await response.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${path} never was cached`);
}

describe("in workerd", () => {
  test("an object is served, cached, and fresh after a purge", async () => {
    await put(list, '{"versions":[]}', "public, max-age=60");
    const first = await world.fetch(`/${list}`);
    expect(first.status).toBe(200);
    expect(first.headers.get("Content-Type")).toBe("application/json");
    expect(first.headers.get("Cache-Control")).toBe("public, max-age=60");
    expect(first.headers.get("ETag")).toMatch(/^"[0-9a-f]{32}"$/);
    expect(first.headers.get("Cache-Status")).toBe("registrar; fwd=miss");
    expect(await first.text()).toBe('{"versions":[]}');

    const again = await untilCached(`/V1/Providers/ACME/demo/versions?x=1`);
    expect(again.headers.get("ETag")).toBe(first.headers.get("ETag"));
    expect(Number(again.headers.get("Age"))).toBeLessThan(60);
    expect(await again.text()).toBe('{"versions":[]}');

    await put(list, '{"versions":[{"version":"1.0.0"}]}', "public, max-age=60");
    expect(await (await world.fetch(`/${list}`)).text()).toBe('{"versions":[]}');
    expect(await purge(list)).toBe(1);
    expect(await (await world.fetch(`/${list}`)).text()).toBe('{"versions":[{"version":"1.0.0"}]}');
  });

  test("a long-lived entry that did not change stays in the cache", async () => {
    await put(moduleDownload, JSON.stringify({ location }));
    const response = await untilCached(`/${moduleDownload}`);
    expect(response.headers.get("X-Terraform-Get")).toBe(location);
    expect(await response.json()).toEqual({ location });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await world.fetch(`/${moduleDownload}`)).headers.get("Cache-Status")).toBe("registrar; hit");
  });

  test("a miss is cached, and purged like anything else", async () => {
    const key = "v1/providers/acme/late/versions";
    expect((await untilCached(`/${key}`)).status).toBe(404);
    await put(key, "{}");
    expect((await world.fetch(`/${key}`)).status).toBe(404);
    expect(await purge(key)).toBe(1);
    expect((await world.fetch(`/${key}`)).status).toBe(200);
  });

  test("HEAD has the headers of GET and no body, from the bucket and from the cache", async () => {
    await put("v1/providers/acme/head/versions", '{"versions":[]}');
    for (const source of ["fwd=miss", "hit"]) {
      const head = await world.fetch("/v1/providers/acme/head/versions", { method: "HEAD" });
      expect(head.status).toBe(200);
      expect(head.headers.get("Cache-Status")).toBe(`registrar; ${source}`);
      expect(head.headers.get("ETag")).toMatch(/^"[0-9a-f]{32}"$/);
      expect(await head.text()).toBe("");
      await untilCached("/v1/providers/acme/head/versions");
    }
  });

  test("If-None-Match gives 304, from the bucket and from the cache", async () => {
    const path = "/v1/providers/acme/etag/versions";
    const { httpEtag } = await put(path.slice(1), '{"versions":[]}');
    for (const source of ["fwd=miss", "hit"]) {
      const response = await world.fetch(path, { headers: { "If-None-Match": `W/${httpEtag}` } });
      expect(response.status).toBe(304);
      expect(response.headers.get("Cache-Status")).toBe(`registrar; ${source}`);
      expect(await response.text()).toBe("");
      await untilCached(path);
    }
  });

  test("the publisher's book-keeping cannot be read", async () => {
    await put(".registrar/published.json", "secret");
    for (const path of ["/.registrar/published.json", "/.REGISTRAR/published.json", "/v1/..%2f.registrar/published.json"]) {
      const response = await world.fetch(path);
      expect(response.status).toBe(404);
      expect(await response.text()).toBe('{"errors":["not found"]}');
    }
  });

  test("nothing can be written", async () => {
    for (const method of ["PUT", "POST", "DELETE"]) {
      const response = await world.fetch(`/${list}`, { method, body: method === "DELETE" ? undefined : "x".repeat(1 << 16) });
      expect(response.status).toBe(405);
      expect(response.headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
      await response.arrayBuffer();
    }
  });
});
