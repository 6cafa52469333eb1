// A world for the Worker on this machine: real workerd with the bundle that is
// deployed, a real R2 bucket with its S3 API, and the real Cache API.

import { Miniflare } from "miniflare";
import { bundle, settings } from "../build.mjs";

/**
 * @param {object} options
 * @param {string} [options.bucket] name of the bucket in the S3 API
 * @param {{accessKeyId: string, secretAccessKey: string}} [options.credentials] of the S3 API, which is off without
 * @param {{key: string, cert: string}} [options.tls] PEM, to serve over HTTPS
 * @param {string} [options.keepIn] folder in which the bucket outlives the process
 */
export async function startWorld({ bucket = "registry", credentials, tls, keepIn } = {}) {
  const [{ binding }] = settings.r2_buckets;
  const mf = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false, // else it asks Cloudflare where it is
    httpsKey: tls?.key,
    httpsCert: tls?.cert,
    name: settings.name,
    modules: true,
    script: await bundle(),
    compatibilityDate: settings.compatibility_date,
    r2Buckets: { [binding]: { id: bucket, ...(credentials && { s3Credentials: credentials }) } },
    r2Persist: keepIn ?? false,
  });
  const origin = (await mf.ready).origin;
  return {
    origin,
    s3Endpoint: `${origin}/cdn-cgi/local/r2/s3`,
    bucket: await mf.getR2Bucket(binding),
    fetch: (path, init) => mf.dispatchFetch(origin + path, { redirect: "manual", ...init }),
    /** What Cloudflare's purge by URL does; tells how many of them were cached. */
    async purge(urls) {
      const caches = await mf.getCaches();
      let purged = 0;
      for (const url of urls) {
        if (await caches.default.delete(url)) {
          purged++;
        }
      }
      return purged;
    },
    stop: () => mf.dispose(),
  };
}
