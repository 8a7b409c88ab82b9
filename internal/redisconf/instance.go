package redisconf

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Instance is one Redis server.
type Instance struct {
	Name string // the user's, as a comment
	Port int
	Bind []netip.Addr // addresses to listen on
	// Protected lets Redis refuse clients of other machines for as long as it has no
	// password (redis.conf, protected-mode).
	Protected       bool
	Password        bool // clients have to give the one of PasswordPath
	Databases       int
	MaxMemory       string // as in redis.conf: bytes, or with a unit
	MaxMemoryPolicy string
	AppendOnly      bool
	Save            string   // pairs of seconds and changes, or Never
	ReplicaOf       *Replica // nil: a master
	Settings        map[string]string
}

// Replica is what an instance knows of its master.
type Replica struct {
	Master   netip.AddrPort
	User     string // of the master's ACL; empty: the default user
	Password bool   // it gives the one of MasterPasswordPath
}

// What Redis does where nothing is said of it (config.c).
const (
	DefaultSave            = "3600 1 300 100 60 10000"
	DefaultMaxMemory       = "0"
	DefaultMaxMemoryPolicy = "noeviction"
	DefaultDatabases       = 16
)

// Never is the save of an instance without snapshots. It is not the empty text, which Terraform
// takes for nothing where it writes a configuration for an import.
const Never = "never"

// points are the words of save.
func (i Instance) points() []string {
	if i.Save == Never {
		return nil
	}
	return strings.Fields(i.Save)
}

// MaxMemoryPolicies are those of Redis 6.0, which all later ones have too.
var MaxMemoryPolicies = []string{"noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"}

// Role is the instance's replication role in words.
func (i Instance) Role() string {
	if i.ReplicaOf == nil {
		return "master"
	}
	return "replica of " + i.ReplicaOf.Master.String()
}

// Render is the text of the instance's redis.conf behind the header.
func (i Instance) Render(header string) []byte {
	var b strings.Builder
	b.WriteString(header)
	line := func(words ...string) { b.WriteString(strings.Join(words, " ") + "\n") }
	line("#", nameComment+i.Name)
	line("port", strconv.Itoa(i.Port))
	line("bind", addresses(i.Bind))
	line("protected-mode", yesNo(i.Protected))
	line("daemonize no")
	line("supervised no")
	line("dir", DataDir(i.Port))
	line("databases", strconv.Itoa(i.Databases))
	line("maxmemory", i.MaxMemory)
	line("maxmemory-policy", i.MaxMemoryPolicy)
	line("appendonly", yesNo(i.AppendOnly))
	// A line for each pair: Redis 6.0 knows no more in one.
	line(`save ""`)
	for pair := range slices.Chunk(i.points(), 2) {
		line("save", strings.Join(pair, " "))
	}
	for _, key := range slices.Sorted(maps.Keys(i.Settings)) {
		line(key, cmp.Or(strings.TrimSpace(i.Settings[key]), `""`))
	}
	if r := i.ReplicaOf; r != nil {
		line("replicaof", r.Master.Addr().String(), strconv.Itoa(int(r.Master.Port())))
		if r.User != "" {
			line("masteruser", quote(r.User))
		}
		if r.Password {
			line("include", credential(i.Port, MasterAuth))
		}
	}
	if i.Password {
		line("include", credential(i.Port, RequirePass))
	}
	return []byte(b.String())
}

const nameComment = "name "

func addresses(addrs []netip.Addr) string {
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, " ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Bytes reads a number of bytes as redis.conf has it: k, m and g are powers of 1000,
// kb, mb and gb powers of 1024 (util.c, memtoull).
func Bytes(text string) (uint64, error) {
	digits := strings.TrimRight(strings.ToLower(text), "bkmg")
	units := map[string]uint64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000 * 1000, "mb": 1 << 20, "g": 1000 * 1000 * 1000, "gb": 1 << 30}
	unit, ok := units[strings.ToLower(text)[len(digits):]]
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || !ok || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is no number of bytes as in redis.conf, such as \"512mb\" or \"2gb\"", text)
	}
	return n * unit, nil
}
