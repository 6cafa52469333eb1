output "base_url" {
  description = "publish.base_url of registrar.hcl; purges name URLs below it."
  value       = "https://${cloudflare_workers_custom_domain.registry.hostname}"
}

output "bucket" {
  description = "The bucket to publish to."
  value       = cloudflare_r2_bucket.registry.name
}

output "s3_endpoint" {
  description = "The bucket's S3 API."
  value       = local.in_jurisdiction ? "https://${var.account_id}.${var.bucket_jurisdiction}.r2.cloudflarestorage.com" : "https://${var.account_id}.r2.cloudflarestorage.com"
}

output "zone_id" {
  description = "The zone to purge."
  value       = var.zone_id
}
