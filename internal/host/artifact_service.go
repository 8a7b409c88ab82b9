package host

// Package is a package that must be installed. It stays when the resource goes.
type Package struct{ Name string }

// redisPackage is Debian's; it brings redis-cli too.
const redisPackage = "redis-server"

// installPackages is the function of commit.sh that takes any number of packages:
// one run of the package manager for all.
const installPackages = "install_packages"

// Key implements [Artifact].
func (p Package) Key() string { return "package " + p.Name }

func (p Package) phase() phase { return phasePackage }

// Want implements [Artifact]. The version is left out: an upgrade is no drift.
func (p Package) Want() string { return "installed" }

// Found implements [Artifact]. It goes by the command that the package brings,
// not by the package manager, so that a build from source counts too.
func (p Package) Found(s *Snapshot) (string, bool) {
	installed := map[string]bool{
		"keepalived": s.KeepalivedVersion != "",
		"ipvsadm":    s.HasIpvsadm,
		"nftables":   s.HasNft,
		redisPackage: s.HasRedis,
	}
	return p.Want(), installed[p.Name]
}

func (p Package) establish(*Snapshot) []step { return []step{call(installPackages, p.Name)} }
func (p Package) remove(*Snapshot) []step    { return nil }

// Unit is a systemd unit that must run and be started at boot.
type Unit struct{ Name string }

// Key implements [Artifact].
func (u Unit) Key() string { return "unit " + u.Name }

func (u Unit) phase() phase { return phaseUnit }

// Want implements [Artifact].
func (u Unit) Want() string { return "enabled, active" }

// Found implements [Artifact].
func (u Unit) Found(s *Snapshot) (string, bool) {
	state, ok := s.Units[u.Name]
	if !ok || state.Load == "not-found" {
		return "", false
	}
	if state.Load == "masked" {
		return "masked, " + state.Active, true
	}
	return state.File + ", " + state.Active, true
}

func (u Unit) establish(*Snapshot) []step { return []step{call("start_unit", u.Name)} }
func (u Unit) remove(*Snapshot) []step    { return []step{call("stop_unit", u.Name)} }
