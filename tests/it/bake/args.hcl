# The services of fleet.yaml, made by: docker buildx build -f fleet.yaml --call bake .
# Variables take their value from the environment.

variable "GOFLEET_CONTEXT" {
  default = "."
}

variable "GOFLEET_FILE" {
  default = "fleet.yaml"
}

variable "REGISTRY" {
  default = "example.com"
}

variable "TAG" {
  default = "v7"
}

group "default" {
  targets = ["api", "worker"]
}

target "api" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "api"
  tags       = ["${REGISTRY}/api:${TAG}"]
  platforms  = ["linux/arm64"]
  attest     = ["type=sbom", "type=provenance,disabled=true"]
  args = {
    GOPROXY = "https://proxy.example.com"
    SOURCE_DATE_EPOCH = "0"
    TAG = TAG
    VERSION = "1.2 \"x\""
  }
}

target "worker" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "worker"
  tags       = ["${REGISTRY}/worker:${TAG}"]
  platforms  = ["linux/arm64"]
  attest     = ["type=sbom", "type=provenance,disabled=true"]
  args = {
    GOPROXY = "https://proxy.example.com"
    SOURCE_DATE_EPOCH = "0"
  }
}
