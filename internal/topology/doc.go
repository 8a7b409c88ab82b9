// Package topology draws a load balancer as it is at a moment: its directors, which of
// them holds which VIP, the services, and their real servers with weights, connections and
// health.
//
// Vocabulary: a [Picture] is what is to be seen, as values; [Picture.Mermaid] and
// [Picture.SVG] are the two ways to draw it.
//
// Promises: nothing here talks to a machine; the same picture gives the same text, whatever
// the order of its parts; whatever a name holds, it is shown as text and never read as
// markup.
package topology
