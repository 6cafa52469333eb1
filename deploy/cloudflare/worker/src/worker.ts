// The edge of a registry: a Worker that serves the published files of an R2
// bucket. It holds no state and writes nothing but the cache.

import { answer } from "./edge";

interface Env {
  BUCKET: R2Bucket;
}

export default {
  fetch(request, env, context) {
    return answer(request, {
      bucket: env.BUCKET,
      cache: caches.default,
      defer: (work) => context.waitUntil(work),
      now: () => Date.now(),
      report: (what, key, error) => console.error(JSON.stringify({ message: what, key, error: String(error) })),
    });
  },
} satisfies ExportedHandler<Env>;
