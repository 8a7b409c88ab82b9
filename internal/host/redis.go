package host

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
)

// Redis is a Redis server on a real server. One password is what its clients give, the
// other what it gives to its master; each is written where the instance has it.
type Redis struct {
	redisconf.Instance
	Client, Master Password
}

// Artifacts returns what the instance has on its host, but for the package.
func (r Redis) Artifacts() []Artifact {
	header := keepalived.Header("redislb_realserver")
	artifacts := []Artifact{
		File{Path: redisconf.Path(r.Port), Mode: 0o644, Content: r.Render(header)},
		File{Path: redisconf.UnitPath(r.Port), Mode: 0o644, Content: r.unit(header)},
	}
	secret := func(path, directive string, p Password) {
		artifacts = append(artifacts, secretFile(path, p, func(text string, version int64) ([]byte, error) {
			return redisconf.RenderPassword(header, directive, text, version, p.Kept)
		}))
	}
	if r.Password {
		secret(redisconf.PasswordPath(r.Port), redisconf.RequirePass, r.Client)
	}
	if r.ReplicaOf != nil && r.ReplicaOf.Password {
		secret(redisconf.MasterPasswordPath(r.Port), redisconf.MasterAuth, r.Master)
	}
	return append(artifacts, Unit{redisconf.Unit(r.Port)}, RedisServer{r.Instance})
}

// unit renders the instance's own unit, hardened as Debian's redis-server.service.
// The type is exec, not notify: Redis 6.0 tells systemd that a replica is ready when it
// has the master's data, so the start of one whose master is not there yet would fail.
func (r Redis) unit(header string) []byte {
	var b strings.Builder
	b.WriteString(header)
	fmt.Fprintf(&b, `[Unit]
Description=Redis %q on port %d
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=redis-server %s
User=redis
Group=redis
UMask=0077
StateDirectory=%s
StateDirectoryMode=0750
`, unitText(r.Name), r.Port, redisconf.Path(r.Port), redisconf.StateDirectory(r.Port))
	if r.Password {
		fmt.Fprintf(&b, "LoadCredential=%s:%s\n", redisconf.RequirePass, redisconf.PasswordPath(r.Port))
	}
	if r.ReplicaOf != nil && r.ReplicaOf.Password {
		fmt.Fprintf(&b, "LoadCredential=%s:%s\n", redisconf.MasterAuth, redisconf.MasterPasswordPath(r.Port))
	}
	b.WriteString(`Restart=always
RestartSec=2
TimeoutStopSec=infinity
LimitNOFILE=65535
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
ReadWritePaths=-/var/log/redis
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes

[Install]
WantedBy=multi-user.target
`)
	return []byte(b.String())
}

// unitText keeps systemd from reading specifiers in a text (systemd.unit(5)).
func unitText(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// RedisServer is a running Redis, as it tells of itself, with its data directory.
type RedisServer struct{ redisconf.Instance }

// RedisState is what the probe saw of an instance that has a redis.conf of ours.
type RedisState struct {
	Running bool   // its unit is active
	Said    string // by redis-cli
	Data    string // owner and mode of the data directory; empty: there is none
}

// Key implements [Artifact].
func (r RedisServer) Key() string { return "redis " + strconv.Itoa(r.Port) }

func (r RedisServer) phase() phase { return phaseRedis }

func (r RedisServer) dataText(state string) string {
	return fmt.Sprintf("data in %s, %s\n", redisconf.DataDir(r.Port), state)
}

// Want implements [Artifact].
func (r RedisServer) Want() string { return r.Live() + r.dataText("redis:redis 750") }

// Found implements [Artifact]. Whether a replica has reached its master is no matter:
// the master may be down, or not there yet.
func (r RedisServer) Found(s *Snapshot) (string, bool) {
	state, ok := s.Redis[r.Port]
	if !ok {
		return "", false
	}
	text := "(not running)\n"
	if state.Running {
		text = redisconf.ParseLive(strings.ToValidUTF8(state.Said, "�"))
	}
	if state.Data == "" {
		state.Data = "(missing)"
	}
	return text + r.dataText(state.Data), true
}

// systemd gives the data directory back to the user redis at each start
// (systemd.exec(5), StateDirectory).
func (r RedisServer) establish(*Snapshot) []step {
	return []step{call("restart_redis", strconv.Itoa(r.Port))}
}

// The data stays when the instance goes.
func (r RedisServer) remove(*Snapshot) []step { return nil }

// redisPorts are the ports of the instances whose files the steps write.
func redisPorts(todo []step) []string {
	var ports []string
	for _, s := range todo {
		for _, f := range s.files {
			if port := redisPort(f.path); port != "" && !f.remove && !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

// redisPort is the port of the instance that a file belongs to; empty: to none.
func redisPort(file string) string {
	name, ours := strings.CutPrefix(path.Base(file), "redis-")
	if path.Dir(file) != redisconf.Dir || !ours {
		if name, ours = strings.CutPrefix(path.Base(file), "redislb-redis-"); !ours {
			return ""
		}
	}
	port, _, _ := strings.Cut(name, ".")
	return port
}

// redisOn reads back the instances on a host, by their names.
func redisOn(s *Snapshot) ([]Redis, error) {
	var all []Redis
	for file, state := range s.Files {
		if path.Dir(file) != redisconf.Dir || path.Ext(file) != ".conf" || !s.managed(file) {
			continue
		}
		instance, err := redisconf.Parse(state.Content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		r := Redis{Instance: instance}
		if r.Password {
			r.Client, err = passwordOn(s, redisconf.PasswordPath(r.Port))
		}
		if err == nil && r.ReplicaOf != nil && r.ReplicaOf.Password {
			r.Master, err = passwordOn(s, redisconf.MasterPasswordPath(r.Port))
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Redis) int { return a.Port - b.Port })
	return all, nil
}

// passwordOn is the version of a password on a host.
func passwordOn(s *Snapshot, path string) (Password, error) {
	version, kept, err := redisconf.ParsePasswordVersion(s.Files[path].Content)
	if err != nil {
		return Password{}, fmt.Errorf("%s: %w", path, err)
	}
	return Password{Version: version, Kept: kept}, nil
}

// KeptRedisVersion is the version of a password in a file on the host, if it is one that
// Terraform's state keeps; otherwise 0.
func KeptRedisVersion(text string) int64 {
	if version, kept, err := redisconf.ParsePasswordVersion([]byte(text)); err == nil && kept {
		return version
	}
	return 0
}

// check looks for what keeps the host from running the instance.
func (r Redis) check(s *Snapshot) []Problem {
	var problems []Problem
	problem := func(attribute, summary, detail string) {
		problems = append(problems, Problem{[]string{"redis", r.Name, attribute}, summary, detail})
	}
	if conf, there := s.Files[redisconf.Path(r.Port)]; there && !s.managed(redisconf.Path(r.Port)) && conf.Mode.IsRegular() {
		problem("port", "Foreign File", fmt.Sprintf("%s on the host was not written by Terraform, and is left alone: move it away, or choose another port.", redisconf.Path(r.Port)))
	}
	for _, bind := range r.Bind {
		if !bind.IsUnspecified() && !bind.IsLoopback() && !s.Has(bind) {
			problem("bind", "Address Not on the Host", fmt.Sprintf("None of the host's interfaces has the address %s, so Redis could not listen on it. It has: %s.", bind, s.ownAddresses()))
		}
	}
	// Also one that is on its way, or has lost its redis.conf.
	if active := s.Units[redisconf.Unit(r.Port)].Active; active != "" && active != "inactive" && active != "failed" {
		return problems
	}
	for _, l := range s.Listeners {
		if int(l.Port()) != r.Port || !slices.ContainsFunc(r.Bind, func(a netip.Addr) bool { return collide(a, l.Addr()) }) {
			continue
		}
		which := "Something that redislb did not start"
		if s.Units[distributionRedis].Active == "active" {
			which = fmt.Sprintf("Something that redislb did not start (the host's own %s runs)", distributionRedis)
		}
		problem("port", "Port Is Taken", fmt.Sprintf("%s listens on %s of the host, and is left alone. Choose another port; or, if its data is not needed or was moved, stop it for good (for Debian's own Redis: 'systemctl disable --now redis-server' on the host).", which, l))
		break
	}
	return problems
}

const distributionRedis = "redis-server.service"

// collide reports whether two cannot listen on the same port at once. A socket on ::
// may take IPv4 too.
func collide(a, b netip.Addr) bool {
	if a.Is4() != b.Is4() {
		return b == netip.IPv6Unspecified()
	}
	return a == b || a.IsUnspecified() || b.IsUnspecified()
}

// RestartedRedis returns the ports of the instances that run and that a change of the
// artifacts restarts, which breaks the connections to them.
func RestartedRedis(before, now map[string]string) []int {
	var ports []int
	for key, text := range now {
		file, isFile := strings.CutPrefix(key, "file ")
		port := redisPort(file)
		live, isLive := strings.CutPrefix(key, "redis ")
		if isLive {
			port = live
		}
		number, err := strconv.Atoi(port)
		found, there := before[key]
		if !isFile && !isLive || err != nil || there && found == text {
			continue
		}
		running := before["redis "+port]
		if running != "" && !strings.HasPrefix(running, "(not running)") && !slices.Contains(ports, number) {
			ports = append(ports, number)
		}
	}
	slices.Sort(ports)
	return ports
}
