# The services of fleet.yaml, made by: docker buildx build -f fleet.yaml --call bake .
# Variables take their value from the environment.

variable "GOFLEET_CONTEXT" {
  default = "."
}

variable "GOFLEET_FILE" {
  default = "fleet.yaml"
}

variable "REGISTRY" {
  default = ""
}

variable "TAG" {
  default = "latest"
}

group "default" {
  targets = ["api", "worker"]
}

target "api" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "api"
  tags       = ["${REGISTRY != "" ? "${REGISTRY}/" : ""}api:${TAG}"]
  attest     = ["type=provenance,disabled=true"]
}

target "worker" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "worker"
  tags       = ["${REGISTRY != "" ? "${REGISTRY}/" : ""}worker:${TAG}"]
  attest     = ["type=provenance,disabled=true"]
}
