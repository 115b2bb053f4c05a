# All images with one command, for those who write their bake file themselves:
#
#   docker buildx bake
#   REGISTRY=registry.example.com/shop TAG=1.4.0 docker buildx bake --push
#
# The file that gofleet prints from the spec says the same:
#
#   docker buildx build -f fleet.yaml --call bake .

variable "REGISTRY" {
  default = "shop"
}

variable "TAG" {
  default = "dev"
}

group "default" {
  targets = ["api", "catalog", "orders", "web", "worker", "migrate"]
}

target "fleet" {
  context    = "."
  dockerfile = "fleet.yaml"
  # A provenance attestation names the time of the build, so it would give an unchanged service a new digest.
  attest = ["type=provenance,disabled=true"]
}

target "api" {
  inherits = ["fleet"]
  target   = "api"
  tags     = ["${REGISTRY}/api:${TAG}"]
}

target "catalog" {
  inherits = ["fleet"]
  target   = "catalog"
  tags     = ["${REGISTRY}/catalog:${TAG}"]
}

target "orders" {
  inherits = ["fleet"]
  target   = "orders"
  tags     = ["${REGISTRY}/orders:${TAG}"]
}

target "web" {
  inherits = ["fleet"]
  target   = "web"
  tags     = ["${REGISTRY}/web:${TAG}"]
}

target "worker" {
  inherits = ["fleet"]
  target   = "worker"
  tags     = ["${REGISTRY}/worker:${TAG}"]
}

target "migrate" {
  inherits = ["fleet"]
  target   = "migrate"
  tags     = ["${REGISTRY}/migrate:${TAG}"]
}
