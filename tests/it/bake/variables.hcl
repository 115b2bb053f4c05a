# The services of fleet.yaml, made by: docker buildx build -f fleet.yaml --call bake .
# Variables take their value from the environment.

variable "AGENT" {
  default = "${homedir()}/agent"
}

variable "EMPTY" {
  default = ""
}

variable "GENERATOR" {
  default = ""
}

variable "GIVEN" {
  default = "1"
}

variable "GO" {
  default = ""
}

variable "GOFLEET_CONTEXT" {
  default = "."
}

variable "GOFLEET_FILE" {
  default = "fleet.yaml"
}

variable "MODE" {
  default = ""
}

variable "NETRC" {
  default = "${homedir()}/.netrc"
}

variable "PLATFORM" {
  default = ""
}

variable "TAG" {
  default = "dev"
}

variable "VERSION" {
  default = ""
}

group "default" {
  targets = ["api_v2_2", "api_v2"]
}

target "api_v2_2" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "api.v2"
  tags       = ["example.com/api.v2:${TAG}"]
  platforms  = ["${PLATFORM != "" ? PLATFORM : "linux/amd64"}", "linux/arm64"]
  attest     = ["type=sbom,generator=${GENERATOR != "" ? GENERATOR : "example.com/sbom"}", "type=provenance,mode=max"]
  secret     = ["id=netrc,src=${NETRC}"]
  ssh        = ["default=${AGENT}"]
  args = {
    EMPTY = EMPTY
    GENERATOR = GENERATOR != "" ? GENERATOR : null
    GIVEN = GIVEN
    GO = GO != "" ? GO : null
    MODE = MODE != "" ? MODE : null
    PLATFORM = PLATFORM != "" ? PLATFORM : null
    VERSION = VERSION != "" ? VERSION : null
  }
}

target "api_v2" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "api_v2"
  tags       = ["example.com/api_v2:${TAG}"]
  platforms  = ["${PLATFORM != "" ? PLATFORM : "linux/amd64"}", "linux/arm64"]
  attest     = ["type=sbom,generator=${GENERATOR != "" ? GENERATOR : "example.com/sbom"}", "type=provenance,mode=max"]
  secret     = ["id=netrc,src=${NETRC}"]
  ssh        = ["default=${AGENT}"]
  args = {
    GENERATOR = GENERATOR != "" ? GENERATOR : null
    GO = GO != "" ? GO : null
    MODE = MODE != "" ? MODE : null
    PLATFORM = PLATFORM != "" ? PLATFORM : null
    VERSION = VERSION != "" ? VERSION : null
  }
}
