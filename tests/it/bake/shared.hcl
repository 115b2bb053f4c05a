# The services of fleet.yaml, made by: docker buildx build -f fleet.yaml --call bake .
# Variables take their value from the environment.

variable "CHANNEL" {
  default = ""
}

variable "GOFLEET_CONTEXT" {
  default = "."
}

variable "GOFLEET_FILE" {
  default = "fleet.yaml"
}

variable "VERSION" {
  default = ""
}

group "default" {
  targets = ["api", "web", "worker"]
}

target "api" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "api"
  tags       = ["example.com/api:${VERSION != "" ? VERSION : "latest"}"]
  args = {
    VERSION = VERSION != "" ? VERSION : null
  }
}

target "web" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "web"
  tags       = ["example.com/web:${VERSION != "" ? VERSION : "${CHANNEL != "" ? CHANNEL : "stable"}"}"]
}

target "worker" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "worker"
  tags       = ["${CHANNEL != "" ? "${CHANNEL}." : ""}example.com/worker"]
}
