data "redislb_topology" "this" {
  directors = ["a", "b"]
}

# For the comment on a pull request, or a README.
output "picture" {
  value = "```mermaid\n${data.redislb_topology.this.mermaid}```"
}
