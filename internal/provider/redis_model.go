package provider

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/redisconf"
)

type instanceModel struct {
	Port            types.Int64  `tfsdk:"port"`
	Bind            types.Set    `tfsdk:"bind"`
	ProtectedMode   types.Bool   `tfsdk:"protected_mode"`
	Databases       types.Int64  `tfsdk:"databases"`
	MaxMemory       types.String `tfsdk:"maxmemory"`
	MaxMemoryPolicy types.String `tfsdk:"maxmemory_policy"`
	AppendOnly      types.Bool   `tfsdk:"appendonly"`
	Save            types.String `tfsdk:"save"`
	ReplicaOf       types.Object `tfsdk:"replica_of"`
	Settings        types.Map    `tfsdk:"settings"`
	passwordModel
}

type replicaOfModel struct {
	Address  types.String `tfsdk:"address"`
	Port     types.Int64  `tfsdk:"port"`
	Username types.String `tfsdk:"username"`
	passwordModel
}

type passwordModel struct {
	Password          types.String `tfsdk:"password"`
	PasswordWO        types.String `tfsdk:"password_wo"`
	PasswordWOVersion types.Int64  `tfsdk:"password_wo_version"`
}

// given reports whether there is a password. Of a write-only one, plan and state have the
// version alone.
func (p passwordModel) given() bool {
	return !p.Password.IsNull() || !p.PasswordWO.IsNull() || !p.PasswordWOVersion.IsNull()
}

// secret is what package host takes; text is the write-only one. Texts are the artifacts
// by which the version of a kept one is known, file the one that holds it.
func (p passwordModel) secret(text types.String, texts map[string]string, file string) host.Password {
	if !p.Password.IsNull() {
		return host.Password{Text: p.Password.ValueString(), Kept: true, Version: host.KeptRedisVersion(texts[host.File{Path: file}.Key()])}
	}
	return host.Password{Text: text.ValueString(), Version: p.PasswordWOVersion.ValueInt64()}
}

// passwordOf is the inverse of secret, but for what is not read back.
func passwordOf(p host.Password, given bool) passwordModel {
	m := passwordModel{Password: types.StringNull(), PasswordWO: types.StringNull(), PasswordWOVersion: types.Int64Null()}
	switch {
	case given && p.Kept:
		m.Password = unread
	case given:
		m.PasswordWOVersion = types.Int64Value(p.Version)
	}
	return m
}

// redisOf returns the instances of a realserver. Config has the write-only passwords;
// texts are the artifacts, as in secret.
func redisOf(redis, config types.Map, texts map[string]string) []host.Redis {
	instances, configured := mapIn[instanceModel](redis), mapIn[instanceModel](config)
	var all []host.Redis
	for _, name := range sortedKeys(instances) {
		m := instances[name]
		port := int(m.Port.ValueInt64())
		r := host.Redis{Instance: redisconf.Instance{
			Name: name, Port: port, Bind: addressesIn(m.Bind), Protected: m.ProtectedMode.ValueBool(), Password: m.given(),
			Databases: int(m.Databases.ValueInt64()), MaxMemory: m.MaxMemory.ValueString(), MaxMemoryPolicy: m.MaxMemoryPolicy.ValueString(),
			AppendOnly: m.AppendOnly.ValueBool(), Save: m.Save.ValueString(), Settings: map[string]string{},
		}}
		for key, value := range m.Settings.Elements() {
			r.Settings[key] = value.(types.String).ValueString()
		}
		r.Client = m.secret(configured[name].PasswordWO, texts, redisconf.PasswordPath(port))
		if of := objectIn[replicaOfModel](m.ReplicaOf); of != nil {
			address, _ := netip.ParseAddr(of.Address.ValueString())
			r.ReplicaOf = &redisconf.Replica{
				Master: netip.AddrPortFrom(address, uint16(of.Port.ValueInt64())), User: of.Username.ValueString(), Password: of.given(),
			}
			var text types.String
			if c := objectIn[replicaOfModel](configured[name].ReplicaOf); c != nil {
				text = c.PasswordWO
			}
			r.Master = of.secret(text, texts, redisconf.MasterPasswordPath(port))
		}
		all = append(all, r)
	}
	return all
}

// keepVersions gives the passwords that Terraform's state keeps their next versions, for
// a plan: another one where it is not the password of before. S may be nil.
func keepVersions(now, before []host.Redis, s *host.Snapshot) {
	prior := map[int]host.Redis{}
	for _, r := range before {
		prior[r.Port] = r
	}
	next := func(p *host.Password, was host.Password, file string) {
		if !p.Kept {
			return
		}
		if was.Kept && was.Version > 0 && was.Text == p.Text {
			p.Version = was.Version
			return
		}
		p.Version = was.Version
		if s != nil {
			p.Version = max(p.Version, host.KeptRedisVersion(string(s.Files[file].Content)))
		}
		p.Version++
	}
	for i := range now {
		r := &now[i]
		next(&r.Client, prior[r.Port].Client, redisconf.PasswordPath(r.Port))
		next(&r.Master, prior[r.Port].Master, redisconf.MasterPasswordPath(r.Port))
	}
}

// redisValue is the inverse of redisOf, without the passwords.
func redisValue(all []host.Redis) types.Map {
	values := map[string]instanceModel{}
	for _, r := range all {
		var bind []string
		for _, a := range r.Bind {
			bind = append(bind, a.String())
		}
		m := instanceModel{
			Port: types.Int64Value(int64(r.Port)), Bind: stringSet(bind), ProtectedMode: types.BoolValue(r.Protected),
			Databases: types.Int64Value(int64(r.Databases)), MaxMemory: types.StringValue(r.MaxMemory), MaxMemoryPolicy: types.StringValue(r.MaxMemoryPolicy),
			AppendOnly: types.BoolValue(r.AppendOnly), Save: types.StringValue(r.Save),
			ReplicaOf: types.ObjectNull(replicaOfType.AttrTypes), Settings: types.MapNull(types.StringType),
			passwordModel: passwordOf(r.Client, r.Password),
		}
		if len(r.Settings) > 0 {
			m.Settings = artifactsValue(r.Settings)
		}
		if of := r.ReplicaOf; of != nil {
			m.ReplicaOf, _ = types.ObjectValueFrom(context.Background(), replicaOfType.AttrTypes, replicaOfModel{
				Address: types.StringValue(of.Master.Addr().String()), Port: types.Int64Value(int64(of.Master.Port())), Username: orNull(of.User),
				passwordModel: passwordOf(r.Master, of.Password),
			})
		}
		values[cmp.Or(r.Name, fmt.Sprint(r.Port))] = m
	}
	if len(values) == 0 {
		return types.MapNull(instanceType)
	}
	value, _ := types.MapValueFrom(context.Background(), instanceType, values)
	return value
}

// validateRedis checks what only several attributes together can tell.
func validateRedis(ctx context.Context, redis types.Map, diags *diag.Diagnostics) {
	instances := mapIn[instanceModel](redis)
	ports := map[int64]string{}
	for _, name := range sortedKeys(instances) {
		m := instances[name]
		at := path.Root("redis").AtMapKey(name)
		if port := m.Port.ValueInt64(); known(ctx, m.Port) {
			if other, ok := ports[port]; ok {
				diags.AddAttributeError(at.AtName("port"), "Duplicate Port", fmt.Sprintf("The instances %q and %q both are on port %d: one instance a port.", other, name, port))
			}
			ports[port] = name
		}
		if !known(ctx, m.Bind, m.ProtectedMode) {
			continue
		}
		bind := m.Bind
		if bind.IsNull() {
			bind = stringSet(defaultBind)
		}
		i := redisconf.Instance{Bind: addressesIn(bind), Protected: m.ProtectedMode.IsNull() || m.ProtectedMode.ValueBool(), Password: m.given()}
		if err := i.CheckOpen(); err != nil {
			diags.AddAttributeError(at, "Redis Without a Password", err.Error()+".")
		}
	}
}

// warnOfUnreadIn is [warnOfUnread] for the passwords of the instances.
func warnOfUnreadIn(before, now types.Map, diags *diag.Diagnostics) {
	planned := mapIn[instanceModel](now)
	for name, was := range mapIn[instanceModel](before) {
		is, stays := planned[name]
		if !stays {
			continue
		}
		at := path.Root("redis").AtMapKey(name)
		warnOfUnread(was.Password, is.given(), at.AtName("password"), diags)
		if was, is := objectIn[replicaOfModel](was.ReplicaOf), objectIn[replicaOfModel](is.ReplicaOf); was != nil && is != nil {
			warnOfUnread(was.Password, is.given(), at.AtName("replica_of").AtName("password"), diags)
		}
	}
}

// warnOfRestarts says which instances an apply restarts.
func warnOfRestarts(before, now map[string]string, redis []host.Redis, diags *diag.Diagnostics) {
	for _, port := range host.RestartedRedis(before, now) {
		for _, r := range redis {
			if r.Port == port {
				diags.AddAttributeWarning(path.Root("redis").AtMapKey(r.Name), "Redis Will Be Restarted",
					fmt.Sprintf("The Redis on port %d is restarted by this change: the connections to it break, and it answers again when it has loaded its data. To lose none by way of the VIP, give its real server the weight 0 before.", port))
			}
		}
	}
}
