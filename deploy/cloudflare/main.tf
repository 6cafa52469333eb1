# A registry at the edge: the bucket that Registrar publishes to, the Worker that
# serves it, and the host that clients know.

locals {
  # wrangler.jsonc is plain JSON: the settings that both tools need stand there once.
  worker  = jsondecode(file("${path.module}/worker/wrangler.jsonc"))
  bundle  = "${path.module}/worker/dist/worker.js" # npm run build makes it
  binding = local.worker.r2_buckets[0].binding

  in_jurisdiction = var.bucket_jurisdiction != "default"
}

resource "cloudflare_r2_bucket" "registry" {
  account_id    = var.account_id
  name          = var.bucket
  location      = var.bucket_location
  jurisdiction  = var.bucket_jurisdiction
  storage_class = "Standard"

  lifecycle {
    prevent_destroy = true # it can be rendered again, but clients would miss it meanwhile
  }
}

# Nobody reads past the Worker: the bucket holds the publisher's book-keeping too.
resource "cloudflare_r2_managed_domain" "off" {
  account_id   = var.account_id
  bucket_name  = cloudflare_r2_bucket.registry.name
  jurisdiction = var.bucket_jurisdiction
  enabled      = false
}

# Its cache_options stay unset: no purge of the zone would reach that cache.
resource "cloudflare_workers_script" "edge" {
  account_id         = var.account_id
  script_name        = local.worker.name
  content_file       = local.bundle
  content_sha256     = filesha256(local.bundle)
  main_module        = basename(local.bundle)
  compatibility_date = local.worker.compatibility_date

  bindings = [{
    type         = "r2_bucket"
    name         = local.binding
    bucket_name  = cloudflare_r2_bucket.registry.name
    jurisdiction = local.in_jurisdiction ? var.bucket_jurisdiction : null
  }]

  observability = {
    enabled            = true
    head_sampling_rate = var.log_sampling_rate
  }
}

# The Cache API does nothing on workers.dev, and no purge reaches it.
resource "cloudflare_workers_script_subdomain" "off" {
  account_id       = var.account_id
  script_name      = cloudflare_workers_script.edge.script_name
  enabled          = false
  previews_enabled = false
}

# Makes the DNS record and the certificate.
resource "cloudflare_workers_custom_domain" "registry" {
  account_id = var.account_id
  zone_id    = var.zone_id
  hostname   = var.hostname
  service    = cloudflare_workers_script.edge.script_name
}

# What the Worker says about caching holds, against any setting of the zone. There
# is no custom cache key, on purpose: a purge by URL would miss it.
resource "cloudflare_ruleset" "cache" {
  count = var.manage_cache_rules ? 1 : 0

  zone_id     = var.zone_id
  name        = "Registrar"
  description = "How the answers of ${var.hostname} are cached"
  kind        = "zone"
  phase       = "http_request_cache_settings"

  rules = [{
    ref         = "registrar_respect_cache_control"
    description = "Respect the Cache-Control and ETag of the registry"
    expression  = "(http.host eq \"${var.hostname}\")"
    action      = "set_cache_settings"
    action_parameters = {
      cache                = true
      edge_ttl             = { mode = "respect_origin" }
      browser_ttl          = { mode = "respect_origin" }
      respect_strong_etags = true
    }
  }]
}

resource "cloudflare_zone_setting" "always_use_https" {
  count = var.always_use_https ? 1 : 0

  zone_id    = var.zone_id
  setting_id = "always_use_https"
  value      = "on"
}
