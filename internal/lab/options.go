package lab

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"

	"github.com/redislb/terraform-provider-redislb/internal/lab/image"
)

// Passwords of the accounts that have one.
const (
	OpsPWPassword  = "opspw-secret"
	NoSudoPassword = "nosudo-secret"
)

// lanPrefix is the length of the LAN's prefix, 192.0.2.0/24 (RFC 5737).
const lanPrefix = 24

// DefaultHosts are two hosts to put the product on and a client.
var DefaultHosts = []string{"a", "b", "client"}

// Options say which lab to start.
type Options struct {
	// Dir is the lab's folder. Default: $LAB_DIR, or .lab in the repository.
	Dir string
	// Images is the folder of built images. Default: images in Dir.
	Images string
	// Suite is the Debian release. Default: $LAB_SUITE, or bookworm.
	Suite string
	// Hosts are names: a has 192.0.2.11, b .12, client .20; others get the
	// addresses from .31 on in order. Default: DefaultHosts.
	Hosts []string
	// Progress is told what is going on, in lines. Default: nobody.
	Progress io.Writer
	// Tied ends the lab when this process ends, however it ends.
	Tied bool
	// Labctl is the labctl program, which serves as the lab's supervisor.
	// Default: built with `go build` from the repository that the working
	// directory is in.
	Labctl string
}

func (o Options) withDefaults() (Options, error) {
	dir, err := Dir(o.Dir)
	if err != nil {
		return o, err
	}
	o.Dir = dir
	o.Images = cmp.Or(o.Images, filepath.Join(dir, "images"))
	o.Suite = cmp.Or(o.Suite, os.Getenv("LAB_SUITE"), image.DefaultSuite)
	if len(o.Hosts) == 0 {
		o.Hosts = DefaultHosts
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	return o, nil
}

// Dir is the absolute folder of a lab: dir itself, or $LAB_DIR, or .lab in the
// repository that the working directory is in.
func Dir(dir string) (string, error) {
	if dir = cmp.Or(dir, os.Getenv("LAB_DIR")); dir != "" {
		return filepath.Abs(dir)
	}
	root, err := repository()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, ".lab"), nil
}

// repository is the nearest folder upwards that holds go.mod.
func repository() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above: run this inside the repository or set LAB_DIR", start)
		}
	}
}

var hostName = regexp.MustCompile(`^[a-z][a-z0-9]{0,14}$`)

// address gives each host its place on the LAN, independent of the others
// where its name is known.
func addresses(hosts []string) (map[string]netip.Addr, error) {
	known := map[string]byte{"a": 11, "b": 12, "client": 20}
	const firstOther, lastOther = 31, 99
	next := byte(firstOther)
	all := map[string]netip.Addr{}
	for _, name := range hosts {
		if !hostName.MatchString(name) {
			return nil, fmt.Errorf("host name %q: want a lower case letter and up to 14 letters and digits", name)
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("host name %q is there twice", name)
		}
		last, ok := known[name]
		if !ok {
			last = next
			next++
		}
		if last > lastOther {
			return nil, fmt.Errorf("too many hosts: %d", len(hosts))
		}
		all[name] = netip.AddrFrom4([4]byte{192, 0, 2, last})
	}
	return all, nil
}
