// Package ipvs holds the kernel's IPVS table as values: it reads the table from
// /proc/net/ip_vs and from `ipvsadm -Sn`, prints it in the words of
// `ipvsadm -Sn`, compares two tables, and says which lines of `ipvsadm -R`
// input turn one service into another.
//
// Vocabulary: a [Service] is a virtual service, found by its [Key] (protocol,
// address and port, or a firewall mark); a [Destination] is one of its real
// servers; a [Table] is all services of a machine.
//
// Promises: nothing here talks to a machine; the parsers never panic and name
// the line that they cannot read; order, letter case, Local against Route, hex
// against dotted and counters never make a difference; [Changes] never takes
// down a row that can be edited in place, so established connections survive.
package ipvs
