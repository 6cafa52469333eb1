variable "account_id" {
  description = "The Cloudflare account that holds the bucket and the Worker."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{32}$", var.account_id))
    error_message = "An account id has 32 hexadecimal digits."
  }
}

variable "zone_id" {
  description = "The zone of the hostname. Purges go to it."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{32}$", var.zone_id))
    error_message = "A zone id has 32 hexadecimal digits."
  }
}

variable "hostname" {
  description = "The registry's host, such as registry.example.org, in lower case. It must not have a DNS record yet."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.hostname))
    error_message = "Write the host alone, in lower case, with at least one dot: clients want one for modules."
  }
}

variable "bucket" {
  description = "The name of the bucket."
  type        = string
  default     = "registry"
}

variable "bucket_location" {
  description = "Where the bucket is created, best effort: apac, eeur, enam, weur, wnam or oc."
  type        = string
  default     = null
}

variable "bucket_jurisdiction" {
  description = "Where objects must stay: default, eu or fedramp."
  type        = string
  default     = "default"

  validation {
    condition     = contains(["default", "eu", "fedramp"], var.bucket_jurisdiction)
    error_message = "There are the jurisdictions default, eu and fedramp."
  }
}

variable "manage_cache_rules" {
  description = "Whether the zone's cache rules are kept here. A zone has one list of them: say false if it has rules already, and add the one of main.tf to those."
  type        = bool
  default     = true
}

variable "always_use_https" {
  description = "Whether plain HTTP is redirected, in the whole zone."
  type        = bool
  default     = true
}

variable "log_sampling_rate" {
  description = "The share of requests whose log lines are kept, 0 to 1. Errors of the bucket are among them."
  type        = number
  default     = 0.01
}
