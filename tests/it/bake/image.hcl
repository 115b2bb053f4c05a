# The services of fleet.yaml, made by: docker buildx build -f fleet.yaml --call bake .
# Variables take their value from the environment.

variable "GOFLEET_CONTEXT" {
  default = "."
}

variable "GOFLEET_FILE" {
  default = "fleet.yaml"
}

variable "REGISTRY" {
  default = "registry.example.com/shop"
}

variable "TAG" {
  default = "latest"
}

group "default" {
  targets = ["api", "worker", "mail_v1", "default_2"]
}

target "api" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "api"
  tags       = ["${REGISTRY}/api:${TAG}"]
  platforms  = ["linux/amd64", "linux/arm64"]
  attest     = ["type=provenance,disabled=true"]
}

target "worker" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "worker"
  tags       = ["${REGISTRY}/worker:${TAG}"]
  platforms  = ["linux/amd64"]
  attest     = ["type=provenance,disabled=true"]
}

target "mail_v1" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "mail.v1"
  tags       = ["${REGISTRY}/mail.v1:${TAG}"]
  platforms  = ["linux/amd64", "linux/arm64"]
  attest     = ["type=provenance,disabled=true"]
}

target "default_2" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "default"
  tags       = ["${REGISTRY}/default:${TAG}"]
  platforms  = ["linux/amd64", "linux/arm64"]
  attest     = ["type=provenance,disabled=true"]
}
