package host

import (
	"cmp"
	_ "embed"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

//go:embed health.sh
var healthScript []byte

//go:embed role.sh
var roleScript []byte

//go:embed swap.sh
var swapScript string

//go:embed check-redis.sh
var checkRedisScript []byte

const (
	directorModulesFile = "/etc/modules-load.d/redislb.conf"
	keepalivedDropIn    = "/etc/systemd/system/keepalived.service.d/redislb.conf"
	directorSysctlFile  = "/etc/sysctl.d/99-zz-redislb-director.conf"
)

// dropIn adds to keepalived's unit. One that was killed comes back by itself, which also takes
// the VIPs away that it left behind: another director holds them by then. A start that
// fails five times within ten seconds is given up (systemd.unit, StartLimitBurst).
const dropIn = `[Service]
ExecStartPre=-` + keepalived.RoleScript + ` START
ExecStartPost=-` + keepalived.RoleScript + ` LOADED
ExecReload=-` + keepalived.RoleScript + ` LOADED
ExecStop=` + keepalived.RoleScript + ` LEAVE
Restart=always
RestartSec=1
`

// swapText is the script of [ConfigSwap], whole.
var swapText = "#!/bin/sh\n# " + keepalived.ManagedMark + "director).\n" + servicesLibrary + swapScript

// swapDropIn is what it has besides for [ConfigSwap].
const swapDropIn = "ExecStartPre=-" + keepalived.SwapScript + " START\n"

// Director is a host that can hold VIPs and spread their connections.
type Director struct {
	Name    string // of the host; keepalived's router_id, by which it signs its log
	Install bool   // install missing packages
	Adopt   bool   // take over a keepalived.conf that is not ours
	Drain   bool   // give the VIPs to another director
	Guard   LoopGuard
	VRRP    keepalived.Director
	// PasswordVersion, where set, says that the VRRP instance is authenticated,
	// and with which version of the password. Password is needed only where it is
	// to be written.
	PasswordVersion *int64
	Password        string
	// PasswordKept says that Terraform's state keeps the password, and that the
	// version is the provider's own count.
	PasswordKept bool
	// HMACVersion and HMACKey are the same for the key of auth_hmac.
	HMACVersion *int64
	HMACKey     string
}

// config completes the configuration with what follows from the director.
func (d Director) config() keepalived.Director {
	c := d.VRRP
	c.SyncInterface, c.SyncID = c.Interface, c.VirtualRouterID
	c.Auth, c.HMAC = d.PasswordVersion != nil, d.HMACVersion != nil
	if d.Guard == Hash || d.Guard == ConfigSwap {
		c.SyncInterface, c.SyncID = "", 0
	}
	c.SyncBoth = d.Guard == SourceMAC
	c.SwapServices = d.Guard == ConfigSwap
	c.RouterID = notInName.ReplaceAllString(d.Name, "-")
	return c
}

// notInName is what keepalived.ValidateName refuses of an address.
var notInName = regexp.MustCompile(`[^A-Za-z0-9._-]`)

// Artifacts returns what a director has on it.
func (d Director) Artifacts() []Artifact {
	c := d.config()
	artifacts := []Artifact{
		Package{"keepalived"},
		Package{"ipvsadm"},
		Package{"nftables"}, // for the reset guard of role.sh
		Module{"ip_vs"},
		Folder{Path: path.Dir(keepalived.Dir), Packaged: true},
		Folder{Path: keepalived.Dir},
		File{Path: directorModulesFile, Mode: 0o644, Content: []byte(keepalived.Header("redislb_director") + "ip_vs\n")},
		File{Path: directorSysctlFile, Mode: 0o644, Content: sysctlFile(keepalived.Header("redislb_director"), d.Guard.sysctls())},
	}
	for _, y := range d.Guard.sysctls() {
		artifacts = append(artifacts, y)
	}
	artifacts = append(artifacts,
		File{Path: keepalived.HealthScript, Mode: 0o755, Content: healthScript},
		File{Path: keepalived.RoleScript, Mode: 0o755, Content: roleScript},
		File{Path: keepalivedDropIn, Mode: 0o644, Content: []byte(keepalived.Header("redislb_director") + d.dropIn())},
		File{Path: keepalived.RedisCheckScript, Mode: 0o755, Content: checkRedisScript},
		DrainFile(d.Drain),
		File{Path: keepalived.InstancePath, Mode: 0o644, Content: c.RenderInstance()},
		File{Path: keepalived.ConfigPath, Mode: 0o644, Content: c.Render(), Adopt: d.Adopt, also: d.prerequisites()},
	)
	if d.Guard == ConfigSwap {
		artifacts = append(artifacts, File{Path: keepalived.SwapScript, Mode: 0o755, Content: []byte(swapText)})
	}
	if d.PasswordVersion != nil {
		artifacts = append(artifacts, d.auth())
	}
	if d.HMACVersion != nil {
		artifacts = append(artifacts, secretFile(keepalived.HMACPath, Password{Version: *d.HMACVersion, Text: d.HMACKey}, keepalived.RenderHMAC))
	}
	artifacts = append(artifacts, Unit{keepalivedUnit})
	for _, timeout := range c.Timeouts.Named() {
		artifacts = append(artifacts, IPVSTimeout(timeout))
	}
	return append(artifacts, SyncRole{Interface: c.SyncInterface, ID: c.SyncID, Both: c.SyncBoth}, ResetGuard{})
}

func (d Director) dropIn() string {
	if d.Guard == ConfigSwap {
		return dropIn + swapDropIn
	}
	return dropIn
}

// prerequisites look, on the host, for what keepalived only complains of in its log, and
// at what it is about to change.
func (d Director) prerequisites() []step {
	var steps []step
	for _, timeout := range d.VRRP.Timeouts.Named() {
		steps = append(steps, IPVSTimeout(timeout).note())
	}
	for _, s := range d.VRRP.Track.Scripts {
		steps = append(steps, checkScript(s.Command, cmp.Or(s.User, "root")))
	}
	for _, command := range d.VRRP.Notify.Commands() {
		steps = append(steps, checkScript(command, "root"))
	}
	for _, f := range d.VRRP.Track.Files {
		steps = append(steps, call("check_tracked_file", f.Path))
	}
	return steps
}

// checkScript looks at the program of a command that the user runs.
func checkScript(command, user string) step {
	program, _, _ := strings.Cut(command, " ")
	return call("check_script", program, user)
}

func (d Director) auth() File {
	render := keepalived.RenderAuth
	if d.PasswordKept {
		render = keepalived.RenderKeptAuth
	}
	return secretFile(keepalived.AuthPath, Password{Version: *d.PasswordVersion, Text: d.Password}, render)
}

// secretFile is a file with a password, which is shown by its comments alone. A
// plan, which does not know the password, has no content for it.
func secretFile(path string, p Password, render func(string, int64) ([]byte, error)) File {
	content, err := render(p.Text, p.Version)
	if err != nil {
		content, _ = render(placeholder, p.Version)
		if content == nil { // it is too short for a key
			content, _ = render(strings.Repeat(placeholder, 32), p.Version)
		}
	}
	var comments strings.Builder
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "#") {
			comments.WriteString(line)
		}
	}
	f := File{Path: path, Mode: 0o600, Label: comments.String()}
	if err == nil {
		f.Content = content
	}
	return f
}

// placeholder stands in for a password where only the comments are wanted.
const placeholder = "x"

// DirectorOn reads a director back from what is on a host, which may be somebody else's: then
// it is the one that adopts that.
func DirectorOn(s *Snapshot) (Director, error) {
	file, ok := s.Files[keepalived.ConfigPath]
	switch {
	case !ok:
		return Director{}, fmt.Errorf("there is no %s", keepalived.ConfigPath)
	case s.Foreign():
		return foreignDirector(s)
	case !s.managed(keepalived.ConfigPath):
		return Director{}, fmt.Errorf("%s was not written by redislb: to take it over, create the resource with adopt = true", keepalived.ConfigPath)
	}
	c, err := keepalived.ParseDirector(file.Content)
	if err != nil {
		return Director{}, fmt.Errorf("%s: %w", keepalived.ConfigPath, err)
	}
	d := Director{Install: true, VRRP: c, Drain: s.drains(), Guard: guardOf(c)}
	if auth, ok := s.Files[keepalived.AuthPath]; ok && c.Auth {
		version, err := keepalived.ParseAuthVersion(auth.Content)
		if kept := KeptPasswordVersion(s); err != nil && kept > 0 {
			version, err, d.PasswordKept = kept, nil, true
		}
		if err != nil {
			return Director{}, fmt.Errorf("%s: %w", keepalived.AuthPath, err)
		}
		d.PasswordVersion = &version
	}
	if key, ok := s.Files[keepalived.HMACPath]; ok && c.HMAC {
		version, err := keepalived.ParseHMACVersion(key.Content)
		if err != nil {
			return Director{}, fmt.Errorf("%s: %w", keepalived.HMACPath, err)
		}
		d.HMACVersion = &version
	}
	return d, nil
}

// KeptPasswordVersion is the version of the password on the host, if it is one that
// Terraform's state keeps; otherwise 0.
func KeptPasswordVersion(s *Snapshot) int64 {
	version, _ := keepalived.ParseKeptAuthVersion(s.Files[keepalived.AuthPath].Content)
	return version
}

// Check looks for what keeps the host from being this director. Fresh: it is to
// become one, and is not one yet as far as Terraform knows.
func (d Director) Check(s *Snapshot, fresh bool) []Problem {
	return append(d.checkNetwork(s), d.checkSystem(s, fresh)...)
}

// checkSystem looks for what of the host itself keeps it from being this director.
func (d Director) checkSystem(s *Snapshot, fresh bool) []Problem {
	problems := d.Guard.check(s)
	if !d.Install {
		for _, name := range s.MissingPackages() {
			problems = append(problems, Problem{[]string{"install"}, "Package Missing",
				fmt.Sprintf("%s is not installed on the host and install is false: install it by hand, or leave install out.", name)})
		}
	}
	if _, exists := s.Files[keepalived.ConfigPath]; (fresh || s.Foreign()) && exists && !s.managed(keepalived.ConfigPath) && !d.Adopt {
		problems = append(problems, Problem{nil, "Foreign keepalived.conf",
			fmt.Sprintf("%s on the host was not written by Terraform, and is left alone. To take it over, with a copy kept on the host, set adopt = true; to keep it, remove this resource. If another configuration of Terraform manages the host, import the director there: terraform import redislb_director.NAME HOST.", keepalived.ConfigPath)})
	}
	if v := s.KeepalivedVersion; v != "" {
		if version, err := keepalived.ParseVersion(v); err == nil && version.Lacks() != "" {
			problems = append(problems, Problem{nil, "keepalived Too Old",
				fmt.Sprintf("The host has keepalived %s: %s.", version, version.Lacks())})
		} else if err == nil && d.config().Lacks(version) != "" {
			problems = append(problems, Problem{[]string{"vrrp"}, "Unknown to the Host's keepalived", d.config().Lacks(version) + "."})
		}
	}
	if len(s.Units) == 0 {
		problems = append(problems, Problem{nil, "No systemd", "The host does not run systemd, by which keepalived is started."})
	}
	return problems
}

// Warnings tells of what the director would do to others on the host, and others to it.
func (d Director) Warnings(s *Snapshot) []Problem {
	problems := append(d.unguarded(s), d.adoption(s)...)
	if len(s.Overrides) > 0 {
		problems = append(problems, Problem{nil, "Others Say How keepalived Starts",
			fmt.Sprintf("On the host these have a say in how keepalived is started, from where it may read another configuration than %s, or not come back when it is killed:\n\n%s\n\nThey are not Terraform's, and are left alone. If they are not meant, remove them there, and run systemctl daemon-reload.", keepalived.ConfigPath, strings.Join(s.Overrides, "\n"))})
	}
	return problems
}
