import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { answer } from "../src/edge";
import { etagOf, FakeEdge } from "./fakes";

const base = "https://registry.example.org";
const list = "v1/providers/acme/demo/versions";
const download = "v1/providers/acme/demo/1.0.0/download/linux/amd64";
const moduleDownload = "v1/modules/acme/net/aws/1.0.0/download";
const location = "git::https://github.com/acme/terraform-aws-net?ref=0123abcd";

let edge: FakeEdge;
beforeEach(() => {
  edge = new FakeEdge();
  edge.bucket.objects.set(list, { body: '{"versions":[]}', cacheControl: "public, max-age=60" });
  edge.bucket.objects.set(download, { body: '{"os":"linux"}', cacheControl: "public, max-age=86400" });
  edge.bucket.objects.set(moduleDownload, { body: JSON.stringify({ location }) });
  edge.bucket.objects.set(".registrar/published.json", { body: '{"secret":true}' });
});
afterEach(() => vi.useRealTimers());

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await answer(new Request(`${base}/${path}`, init), edge);
  await edge.idle();
  return response;
}

describe("an object", () => {
  test("is answered as JSON with its entity tag and Cache-Control", async () => {
    const response = await ask(list);
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(response.headers.get("ETag")).toBe(etagOf('{"versions":[]}'));
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=60");
    expect(response.headers.get("Cache-Status")).toBe("registrar; fwd=miss");
    expect(response.headers.get("X-Terraform-Get")).toBeNull();
    expect(await response.text()).toBe('{"versions":[]}');
  });

  test("is answered from the cache the second time, however it is spelt", async () => {
    await ask(list);
    edge.time += 7_900;
    const response = await ask("V1/providers/ACME/demo/versions?nocache=1");
    expect(response.headers.get("Cache-Status")).toBe("registrar; hit");
    expect(response.headers.get("Age")).toBe("7");
    expect(response.headers.get("ETag")).toBe(etagOf('{"versions":[]}'));
    expect(await response.text()).toBe('{"versions":[]}');
    expect(edge.bucket.calls).toEqual([`get ${list}`]);
  });

  test("that changed is seen after a purge of its URL, and not before", async () => {
    await ask(list);
    edge.bucket.objects.set(list, { body: '{"versions":[1]}' });
    expect(await (await ask(list)).text()).toBe('{"versions":[]}');
    expect(await edge.cache.delete(`${base}/${list}`)).toBe(true);
    expect(await (await ask(list)).text()).toBe('{"versions":[1]}');
  });

  test("is not cached against its Cache-Control", async () => {
    edge.bucket.objects.set(list, { body: "{}", cacheControl: "no-store" });
    expect((await ask(list)).headers.get("Cache-Control")).toBe("no-store");
    expect(edge.cache.entries.size).toBe(0);
  });

  test("of more than 8 MiB is refused, and the operator told", async () => {
    edge.bucket.objects.set(list, { body: "{}", size: (8 << 20) + 1 });
    expect((await ask(list)).status).toBe(503);
    expect(edge.reports).toEqual([expect.stringContaining(`(${list}): the object has 8388609 bytes`)]);
  });
});

describe("an entry that was kept while its object changed", () => {
  const changeMeanwhile = (key: string) => {
    edge.cache.beforePut = () => {
      edge.bucket.objects.set(key, { body: '{"new":true}' });
      edge.cache.entries.delete(`${base}/${key}`); // the purge, which finds nothing yet
    };
  };

  test("is taken back where it would live long", async () => {
    changeMeanwhile(download);
    expect(await (await ask(download)).text()).toBe('{"os":"linux"}');
    expect(edge.cache.entries.size).toBe(0);
    edge.cache.beforePut = () => undefined;
    expect(await (await ask(download)).text()).toBe('{"new":true}');
    expect(edge.cache.entries.size).toBe(1);
  });

  test("is taken back where the object is gone", async () => {
    edge.cache.beforePut = () => edge.bucket.objects.delete(download);
    await ask(download);
    expect(edge.cache.entries.size).toBe(0);
  });

  test("is left to its short life otherwise, which saves a look at the bucket", async () => {
    changeMeanwhile(list);
    await ask(list);
    expect(edge.cache.entries.size).toBe(1);
    expect(edge.bucket.calls).toEqual([`get ${list}`]);
  });
});

describe("a module's download", () => {
  test.each(["fwd=miss", "hit"])("says its location in the header too (%s)", async (source) => {
    if (source === "hit") {
      await ask(moduleDownload);
    }
    const response = await ask(moduleDownload);
    expect(response.headers.get("Cache-Status")).toContain(source);
    expect(response.headers.get("X-Terraform-Get")).toBe(location);
    expect(await response.json()).toEqual({ location });
  });

  test.each([
    ["the metadata", { body: "{}", location: "https://example.org/x.zip" }, "https://example.org/x.zip"],
    ["the metadata rather than the body", { body: '{"location":"b"}', location: "a" }, "a"],
    ["nowhere, when the body is no JSON", { body: "not JSON" }, null],
    ["nowhere, when the body is null", { body: "null" }, null],
    ["nowhere, when the body has none", { body: "{}" }, null],
    ["nowhere, when it is no text", { body: '{"location":5}' }, null],
    ["nowhere, when it would split the header", { body: JSON.stringify({ location: "a\r\nX-Evil: 1" }) }, null],
    ["nowhere, when it is not ASCII", { body: JSON.stringify({ location: "https://example.org/\u00e4" }) }, null],
    ["nowhere, when it is too long", { body: JSON.stringify({ location: "a".repeat(9000) }) }, null],
    ["nowhere, when the body is too long", { body: JSON.stringify({ x: "a".repeat(70000), location: "a" }) }, null],
  ])("has it from %s", async (_, object, want) => {
    edge.bucket.objects.set(moduleDownload, object);
    const response = await ask(moduleDownload);
    expect(response.status).toBe(200);
    expect(response.headers.get("X-Terraform-Get")).toBe(want);
  });

  test("is the only answer with a location", async () => {
    edge.bucket.objects.set(list, { body: '{"location":"x"}', location: "y" });
    expect((await ask(list)).headers.get("X-Terraform-Get")).toBeNull();
  });
});

describe("an address without an object", () => {
  test("is answered as JSON and cached for a short time", async () => {
    for (const source of ["fwd=miss", "hit"]) {
      const response = await ask("v1/providers/acme/none/versions");
      expect(response.status).toBe(404);
      expect(response.headers.get("Content-Type")).toBe("application/json");
      expect(response.headers.get("Cache-Control")).toBe("public, max-age=10");
      expect(response.headers.get("Cache-Status")).toBe(`registrar; ${source}`);
      expect(await response.text()).toBe('{"errors":["not found"]}');
    }
    expect(edge.bucket.calls).toEqual(["get v1/providers/acme/none/versions"]);
  });

  test("is found after it was published and purged", async () => {
    const fresh = "v1/providers/acme/new/versions";
    await ask(fresh);
    edge.bucket.objects.set(fresh, { body: "{}" });
    expect((await ask(fresh)).status).toBe(404);
    await edge.cache.delete(`${base}/${fresh}`);
    expect((await ask(fresh)).status).toBe(200);
  });

  test.each([
    ".registrar/published.json",
    "%2eRegistrar/published.json",
    "v1/..%2f.registrar/published.json",
    "v1//providers",
    `v1/${"a".repeat(2000)}`,
  ])("costs neither bucket nor cache when there can be none: %s", async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('{"errors":["not found"]}');
    expect(edge.bucket.calls).toEqual([]);
    expect(edge.cache.entries.size).toBe(0);
  });
});

describe("If-None-Match", () => {
  const etag = etagOf('{"versions":[]}');
  test.each([
    [etag, 304],
    [`W/${etag}`, 304],
    [`"other", W/${etag}`, 304],
    ["*", 304],
    ['"other"', 200],
    ["", 200],
  ])("%s gives %d, from the bucket and from the cache", async (tag, status) => {
    for (const source of ["fwd=miss", "hit"]) {
      const response = await ask(list, { headers: { "If-None-Match": tag } });
      expect(response.status).toBe(status);
      expect(response.headers.get("Cache-Status")).toBe(`registrar; ${source}`);
      expect(response.headers.get("ETag")).toBe(etag);
      expect(response.headers.get("Cache-Control")).toBe("public, max-age=60");
      expect(await response.text()).toBe(status === 304 ? "" : '{"versions":[]}');
    }
  });

  test("does not turn a 404 into a 304", async () => {
    expect((await ask("v1/none", { headers: { "If-None-Match": "*" } })).status).toBe(404);
  });
});

describe("other methods", () => {
  test.each(["POST", "PUT", "DELETE", "PATCH"])("%s is refused with what is allowed", async (method) => {
    const response = await ask(list, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await response.text()).toBe('{"errors":["method not allowed"]}');
    expect(edge.bucket.calls).toEqual([]);
  });

  test("OPTIONS allows any page to read", async () => {
    const response = await ask(list, { method: "OPTIONS", headers: { Origin: "https://example.com" } });
    expect(response.status).toBe(204);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(response.headers.get("Access-Control-Allow-Methods")).toBe("GET, HEAD, OPTIONS");
    expect(response.headers.get("Access-Control-Max-Age")).toBe("86400");
  });
});

describe("a part that fails", () => {
  test.each(["get", "body"] as const)("the bucket (%s): 503, never cached, and the operator told", async (fault) => {
    edge.bucket.fault = fault;
    const response = await ask(list);
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("10");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await response.json()).toEqual({ errors: ["the registry cannot read this now"] });
    expect(edge.cache.entries.size).toBe(0);
    expect(edge.reports).toHaveLength(1);
    edge.bucket.fault = "none";
    expect((await ask(list)).status).toBe(200);
  });

  test("a bucket that does not answer is given up", async () => {
    vi.useFakeTimers();
    edge.bucket.fault = "hang";
    const response = ask(list);
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await response).status).toBe(503);
    expect(edge.reports).toEqual([`cannot read the bucket (${list}): no answer within 10000 ms`]);
  });

  test.each(["match", "put"] as const)("the cache (%s): the bucket answers", async (fault) => {
    edge.cache.fault = fault;
    expect((await ask(list)).status).toBe(200);
    expect(edge.reports).toHaveLength(1);
  });

  test("a cache that does not answer is passed by", async () => {
    vi.useFakeTimers();
    edge.cache.fault = "hang";
    const response = ask(list);
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await response).status).toBe(200);
  });

  test("a cached answer that is none of ours is not used", async () => {
    edge.cache.entries.set(`${base}/${list}`, new Response("<html>", { headers: { "Cache-Control": "max-age=60" } }));
    expect(await (await ask(list)).text()).toBe('{"versions":[]}');
  });
});

test.each([
  [list, {}],
  ["v1/none", {}],
  [list, { method: "PUT" }],
  [list, { headers: { "If-None-Match": "*" } }],
])("every answer is safe to read in a browser: %s %j", async (path, init) => {
  const { headers } = await ask(path, init);
  expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
  expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; frame-ancestors 'none'");
  expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  expect(headers.get("Strict-Transport-Security")).toMatch(/^max-age=\d+$/);
  expect(headers.get("Access-Control-Allow-Origin")).toBe("*");
  expect(headers.get("Access-Control-Expose-Headers")).toBe("ETag, X-Terraform-Get");
});
