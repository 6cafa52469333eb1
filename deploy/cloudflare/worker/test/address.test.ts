import { describe, expect, test } from "vitest";
import { cacheURL, objectKey } from "../src/address";

const keyOf = (path: string) => objectKey(new URL(path, "https://registry.example.org"));

describe("an address names an object, in lower case", () => {
  test.each([
    ["/.well-known/terraform.json", ".well-known/terraform.json"],
    ["/.WELL-KNOWN/Terraform.json", ".well-known/terraform.json"],
    ["/v1/providers/acme/demo/versions", "v1/providers/acme/demo/versions"],
    ["/v1/providers/Acme/Demo/2.3.1-RC1/download/linux/amd64", "v1/providers/acme/demo/2.3.1-rc1/download/linux/amd64"],
    ["/v1/modules/acme/my_net/aws/versions", "v1/modules/acme/my_net/aws/versions"],
    ["/v1/providers/acme/demo/versions?x=../y", "v1/providers/acme/demo/versions"],
    ["/v1/providers/acme/demo/versions#x", "v1/providers/acme/demo/versions"],
    ["/v1/providers/acme/demo/1.0.0+build.5/download/linux/arm64", "v1/providers/acme/demo/1.0.0+build.5/download/linux/arm64"],
    ["/v1/providers/acme/demo/1.0.0%2Bbuild.5/download/linux/arm64", "v1/providers/acme/demo/1.0.0+build.5/download/linux/arm64"],
    ["/v1/providers/%61cme/demo/versions", "v1/providers/acme/demo/versions"],
    ["/v1/x/../providers/acme/demo/versions", "v1/providers/acme/demo/versions"], // the URL parser's doing
    [`/${"a".repeat(255)}`, "a".repeat(255)],
  ])("%s", (path, key) => {
    expect(keyOf(path)).toBe(key);
  });
});

describe("no object is named by", () => {
  test.each([
    ["the root", "/"],
    ["an empty segment", "/v1//providers"],
    ["a trailing slash", "/v1/providers/acme/demo/versions/"],
    ["the publisher's book-keeping", "/.registrar/published.json"],
    ["the same in capitals", "/.Registrar/published.json"],
    ["the same, encoded", "/%2eregistrar/published.json"],
    ["the same behind a way out", "/v1/../.registrar/published.json"],
    ["the same behind an encoded way out", "/v1/%2e%2e/.registrar/published.json"],
    ["the same behind a backslash", "/v1\\..\\.registrar/published.json"],
    ["a hidden file further down", "/v1/.git/config"],
    ["a hidden file below .well-known", "/.well-known/.secret"],
    [".well-known further down", "/v1/.well-known/terraform.json"],
    ["a way out below an encoded slash", "/v1/..%2f.registrar%2fpublished.json"],
    ["an encoded slash", "/v1%2Fproviders/acme/demo/versions"],
    ["an encoded backslash", "/v1%5Cproviders"],
    ["what is encoded twice", "/v1/%252e%252e/x"],
    ["a broken encoding", "/v1/%zz"],
    ["half a character", "/v1/%c3"],
    ["a NUL", "/v1/a%00b"],
    ["a line break", "/v1/a%0d%0ab"],
    ["a space", "/v1/a%20b"],
    ["a Kelvin sign, a k in lower case", "/v1/providers/%E2%84%AA/demo/versions"],
    ["a letter outside ASCII", "/v1/providers/\u00e4/demo/versions"],
    ["a segment that is too long", `/${"a".repeat(256)}`],
    ["a path that is too long", `/${"a/".repeat(512)}a`],
  ])("%s", (_, path) => {
    expect(keyOf(path)).toBeUndefined();
  });
});

test("all spellings of an address have one URL in the cache", () => {
  for (const spelling of [
    "https://registry.example.org/V1/Providers/Acme/Demo/versions?a=b",
    "http://REGISTRY.example.org/v1/providers/acme/demo/versions",
    "https://registry.example.org:443/v1/providers/acme/%64emo/versions",
  ]) {
    const url = new URL(spelling);
    expect(cacheURL(url, objectKey(url) ?? "")).toBe("https://registry.example.org/v1/providers/acme/demo/versions");
  }
});

test("no path out of hostile pieces names what is private", () => {
  const pieces = [
    ..."/.%\\aZ9_+-~?#@: ", "..", "%2e", "%2E", "%2f", "%5c", "%25", "%00", "%c3%a4", "%E2%84%AA", "\u212a", "\u00e4",
    ".registrar", ".well-known", "//", "v1", "/versions", "terraform.json",
  ];
  let seed = 20261121;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let named = 0;
  for (let round = 0; round < 20_000; round++) {
    const path = Array.from({ length: 1 + random(8) }, () => pieces[random(pieces.length)]).join("");
    const key = objectKey(new URL(`https://registry.example.org/${path}`));
    if (key !== undefined) {
      named++;
      expect(key, path).toMatch(/^(\.well-known\/)?[a-z0-9_+-][a-z0-9._+-]*(\/[a-z0-9_+-][a-z0-9._+-]*)*$|^\.well-known$/);
    }
  }
  expect(named).toBeGreaterThan(500);
});
