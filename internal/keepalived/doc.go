// Package keepalived holds keepalived's configuration as values.
//
// It has two layers. The syntax layer, [Parse] and [Print], reads and writes
// any keepalived.conf as a tree of [Node], unknown keywords and all. The typed
// layer is the files that this product puts on a host:
//
//   - [Director]: /etc/keepalived/keepalived.conf, one VRRP instance;
//   - [RenderAuth]: the authentication block, a file of its own that only root
//     reads, because it holds a secret;
//   - [VIP]: two files for each virtual IP address, which the director's file
//     includes: the address and its virtual servers.
//
// Render and Parse of each type are inverse to each other. Validate (and the
// Validate functions for single values) refuses whatever keepalived 2.1, 2.2
// or 2.3 would read differently from how it was written; Render takes validated
// values.
//
// Nothing here talks to a machine. Facts are from keepalived's source at tags
// v2.1.5, v2.2.7, v2.3.0 and v2.3.3, named by file and function. The golden
// files were passed, put together, to `keepalived -t` of 2.2.7 and 2.3.3, those of a
// director to that of 2.1.5 too.
package keepalived
