package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

type directorModel struct {
	ID           types.String   `tfsdk:"id"`
	Host         types.String   `tfsdk:"host"`
	Install      types.Bool     `tfsdk:"install"`
	Adopt        types.Bool     `tfsdk:"adopt"`
	LoopGuard    types.String   `tfsdk:"loop_guard"`
	Drain        types.Bool     `tfsdk:"drain"`
	VRRP         *vrrpModel     `tfsdk:"vrrp"`
	IPVSTimeouts types.Object   `tfsdk:"ipvs_timeouts"`
	Artifacts    types.Map      `tfsdk:"artifacts"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
}

// spec is what package host takes. A write-only password is not part of the model,
// since it is kept neither in plan nor state.
func (m directorModel) spec(password string) host.Director {
	d := host.Director{
		Name:     m.Host.ValueString(),
		Install:  m.Install.ValueBool(),
		Adopt:    m.Adopt.ValueBool(),
		Drain:    m.Drain.ValueBool(),
		Guard:    host.LoopGuard(m.LoopGuard.ValueString()),
		Password: password,
		VRRP:     m.VRRP.director(),
	}
	d.VRRP.Timeouts = ipvsTimeoutsIn(m.IPVSTimeouts)
	if version := m.VRRP.AuthPassWOVersion; !version.IsNull() {
		d.PasswordVersion = version.ValueInt64Pointer()
	}
	d.HMACVersion = m.VRRP.AuthHMACWOVersion.ValueInt64Pointer()
	if pass := m.VRRP.AuthPass; !pass.IsNull() {
		version := m.keptVersion()
		d.Password, d.PasswordKept, d.PasswordVersion = pass.ValueString(), true, &version
	}
	return d
}

// keptVersion is the version of a password that the state keeps, as the artifacts
// show it: 0 where they show none.
func (m directorModel) keptVersion() int64 {
	text := textsIn(m.Artifacts, "")[host.File{Path: keepalived.AuthPath}.Key()]
	version, _ := keepalived.ParseKeptAuthVersion([]byte(text))
	return version
}

// nextVersion is the version of a password that the state keeps, for a plan: another
// one where it is not the password of before. Since the password is in the state, that
// can be seen, and needs no trace of it on the host. Prior and s may be nil.
func (m directorModel) nextVersion(prior *directorModel, s *host.Snapshot) int64 {
	var latest int64
	if prior != nil && prior.VRRP != nil {
		latest = prior.keptVersion()
		if latest > 0 && prior.VRRP.AuthPass.Equal(m.VRRP.AuthPass) {
			return latest
		}
	}
	if s != nil {
		latest = max(latest, host.KeptPasswordVersion(s))
	}
	return latest + 1
}

func (m directorModel) known(ctx context.Context) bool {
	return known(ctx, m.Drain, m.LoopGuard, m.IPVSTimeouts) && m.VRRP.known(ctx)
}

// fill takes the attributes from what is on the host.
func (m *directorModel) fill(s *host.Snapshot) error {
	d, err := host.DirectorOn(s)
	if err != nil {
		return err
	}
	m.Install, m.Adopt = types.BoolValue(true), types.BoolValue(d.Adopt)
	m.LoopGuard = types.StringValue(string(d.Guard))
	m.Drain = types.BoolValue(d.Drain)
	m.VRRP = vrrpOf(d.VRRP)
	m.IPVSTimeouts = ipvsTimeoutsOf(d.VRRP.Timeouts)
	if d.PasswordKept {
		m.VRRP.AuthPass = unread
	} else {
		m.VRRP.AuthPassWOVersion = types.Int64PointerValue(d.PasswordVersion)
	}
	m.VRRP.AuthHMACWOVersion = types.Int64PointerValue(d.HMACVersion)
	return nil
}
