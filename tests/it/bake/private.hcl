# The services of fleet.yaml, made by: docker buildx build -f fleet.yaml --call bake .
# Variables take their value from the environment.

variable "CA" {
  default = "deploy/corp,2.pem"
}

variable "GOFLEET_CONTEXT" {
  default = "."
}

variable "GOFLEET_FILE" {
  default = "fleet.yaml"
}

variable "NAME" {
  default = "key"
}

variable "PROXY" {
  default = "https://proxy.example.com"
}

variable "REGISTRY" {
  default = ""
}

variable "TAG" {
  default = "latest"
}

group "default" {
  targets = ["api"]
}

target "api" {
  context    = GOFLEET_CONTEXT
  dockerfile = GOFLEET_FILE
  target     = "api"
  tags       = ["${REGISTRY != "" ? "${REGISTRY}/" : ""}api:${TAG}"]
  attest     = ["type=provenance,disabled=true"]
  secret     = ["id=netrc,src=${homedir()}/.netrc", "id=GIT_AUTH_TOKEN,env=GITHUB_TOKEN", "id=known_hosts", "id=ca,\"src=${CA}\"", "id=client_cert,\"src=${homedir()}/with a \"\", a quote\""]
  ssh        = ["default=${homedir()}/.ssh/id_ed25519,deploy/${NAME}"]
  args = {
    GOPRIVATE = "git.example.com"
    PROXY = PROXY
  }
}
