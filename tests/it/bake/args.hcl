# The services of fleet.yaml, made by: docker buildx build -f fleet.yaml --call bake .
# Variables take their value from the environment.

variable "GO" {
  default = ""
}

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

variable "VERSION" {
  default = "1.2 \"x\""
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
    GO = GO != "" ? GO : null
    GOPROXY = "https://proxy.example.com"
    SOURCE_DATE_EPOCH = "0"
    TAG = TAG
    VERSION = VERSION
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
    GO = GO != "" ? GO : null
    GOPROXY = "https://proxy.example.com"
    SOURCE_DATE_EPOCH = "0"
  }
}
