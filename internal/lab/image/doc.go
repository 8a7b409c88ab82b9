// Package image builds what the lab's machines boot: a Debian root file
// system, a kernel and an initrd.
//
// An image is a folder named after its release and the hash of its recipe, so
// that a changed recipe makes a new one. It is built under another name and
// renamed when it is whole; a lock keeps two builders apart. Nothing is
// mounted and no loop device is used, so root is not needed where user
// namespaces are allowed.
package image
