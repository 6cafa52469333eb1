import { expect, test } from "vitest";
import { cacheControl, sharedLifetime } from "../src/lifetime";

test.each([
  ["v1/providers/acme/demo/versions", undefined, "public, max-age=60"],
  ["v1/modules/acme/net/aws/versions", undefined, "public, max-age=60"],
  ["v1/providers/acme/demo/1.0.0/download/linux/amd64", undefined, "public, max-age=86400"],
  ["v1/modules/acme/net/aws/1.0.0/download", undefined, "public, max-age=86400"],
  [".well-known/terraform.json", undefined, "public, max-age=3600"],
  ["v1/providers/acme/demo/versions", "public, max-age=5", "public, max-age=5"],
  ["v1/providers/acme/demo/versions", "no-store", "no-store"],
  ["v1/providers/acme/demo/versions", "max-age=1\r\nX-Evil: 1", "public, max-age=60"],
  ["v1/providers/acme/demo/versions", "", "public, max-age=60"],
  ["v1/providers/acme/demo/versions", "x".repeat(300), "public, max-age=60"],
])("the Cache-Control of %s, stored with %j", (key, stored, want) => {
  expect(cacheControl(key, stored)).toBe(want);
});

test.each([
  ["public, max-age=60", 60],
  ["max-age=60, s-maxage=600", 600],
  ['Max-Age="30"', 30],
  ["public", 0],
  ["max-age=0", 0],
  ["max-age=-5", 0],
  ["max-age=many", 0],
  ["max-age=60, no-store", 0],
  ["private, max-age=60", 0],
  ["no-cache, max-age=60", 0],
  ["", 0],
])("a shared cache may keep %j for %d s", (header, seconds) => {
  expect(sharedLifetime(header)).toBe(seconds);
});
