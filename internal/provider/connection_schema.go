package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

func connectionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"user": schema.StringAttribute{
			MarkdownDescription: "User to log in as. Default `root`. Another user needs `become`.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1), plainWord},
		},
		"port": schema.Int64Attribute{
			MarkdownDescription: "TCP port of the SSH server. Default 22.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.Between(1, 65535)},
		},
		"password": schema.StringAttribute{
			MarkdownDescription: "Password to log in with.",
			Optional:            true,
			Sensitive:           true,
		},
		"private_key": schema.StringAttribute{
			MarkdownDescription: "Private key to log in with, in OpenSSH or PEM format.",
			Optional:            true,
			Sensitive:           true,
		},
		"private_key_file": schema.StringAttribute{
			MarkdownDescription: "File that holds the private key. A leading `~/` is the home folder.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("private_key"))},
		},
		"private_key_passphrase": schema.StringAttribute{
			MarkdownDescription: "Passphrase of the private key.",
			Optional:            true,
			Sensitive:           true,
		},
		"certificate": schema.StringAttribute{
			MarkdownDescription: "User certificate to log in with (what `ssh-keygen -s` wrote into `…-cert.pub`), of the private key or of a key in the agent.",
			Optional:            true,
		},
		"certificate_file": schema.StringAttribute{
			MarkdownDescription: "File that holds the user certificate.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("certificate"))},
		},
		"agent_identity": schema.StringAttribute{
			MarkdownDescription: "The only key of the SSH agent to use: its fingerprint `SHA256:…` as `ssh-add -l` shows it, its comment, or the public key. Needs no `agent = true`.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"agent": schema.BoolAttribute{
			MarkdownDescription: "Use the SSH agent (`SSH_AUTH_SOCK`). Default: true where neither a key nor a password is given, and where `agent_identity` is.",
			Optional:            true,
		},
		"host_key": schema.StringAttribute{
			MarkdownDescription: "The host's only key, in the format of a `.pub` file (`ssh-ed25519 AAAA…`). Nothing else is needed; it holds under every policy but `insecure`, which contradicts it.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.ConflictsWith(path.MatchRelative().AtParent().AtName("host_ca"))},
		},
		"host_ca": schema.StringAttribute{
			MarkdownDescription: "Public keys of authorities, one a line, whose host certificates are trusted if they are valid now and made out to `address`. `@cert-authority` lines in `known_hosts` do the same for certain hosts. With `host_ca`, `accept-new` takes no plain key.",
			Optional:            true,
		},
		"known_hosts": schema.StringAttribute{
			MarkdownDescription: "Host keys to trust, in the format of `known_hosts` (sshd(8)).",
			Optional:            true,
		},
		"known_hosts_file": schema.StringAttribute{
			MarkdownDescription: "File with host keys to trust. Default: `~/.ssh/known_hosts`, where none of `known_hosts`, `host_key` and `host_ca` is given.",
			Optional:            true,
		},
		"host_key_policy": schema.StringAttribute{
			MarkdownDescription: "`strict` (default): only a host whose key is known is talked to. `accept-new`: the key of a host that nothing is known about is taken and added to `known_hosts_file` (made if it is missing); where only `known_hosts` is given, it holds until Terraform ends. A key that differs from the known one is refused. `insecure`: any key is taken; whoever sits between can then read and change everything.",
			Optional:            true,
			Validators:          []validator.String{stringvalidator.OneOf(string(remote.HostKeyStrict), string(remote.HostKeyAcceptNew), string(remote.HostKeyInsecure))},
		},
		"become": schema.BoolAttribute{
			MarkdownDescription: "Become root by `sudo` after the login. Default: true for any user but `root`.",
			Optional:            true,
		},
		"become_password": schema.StringAttribute{
			MarkdownDescription: "Password that `sudo` asks for. It reaches the host by the encrypted connection's standard input, never on a command line.",
			Optional:            true,
			Sensitive:           true,
		},
		"jump_hosts": schema.ListAttribute{
			MarkdownDescription: "Hosts on the way, the nearest to here first: keys of `hosts`, where each has its own address, user, credentials and host key, or else addresses. Each host key is verified. The `jump_hosts` of the first one come before it. In the provider block: for every host but those in the list; `[]` for a host means none.",
			ElementType:         types.StringType,
			Optional:            true,
			Validators:          []validator.List{listvalidator.ValueStringsAre(hostName)},
		},
		"max_sessions": schema.Int64Attribute{
			MarkdownDescription: "How many sessions may be open at once on the connection to a host. Default 8; sshd's own limit (`MaxSessions`) is 10 by default.",
			Optional:            true,
			Validators:          []validator.Int64{int64validator.Between(1, 1000)},
		},
		"dial_timeout": schema.StringAttribute{
			MarkdownDescription: "How long connecting to a host may take: TCP, handshake and authentication. For each attempt: a connection that sshd drops because there are too many (`MaxStartups`) is tried again for five minutes, a closed port for three seconds, or until the operation is out of time. Each jump host has its own. Default `30s`.",
			Optional:            true,
			Validators:          []validator.String{positiveDuration},
		},
	}
}
