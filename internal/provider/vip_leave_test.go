package provider

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/redislb/terraform-provider-redislb/internal/host"
	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"github.com/redislb/terraform-provider-redislb/internal/remote"
)

// pair is the directors of one VIP. Of their hosts there are the files, which a change
// writes and removes, the VIP, which goes to the other one when one is drained, and the
// IPVS table, which keepalived makes what the files say.
type pair struct {
	mu     sync.Mutex
	bare   string // what a bare host answers to the probe
	files  map[string]map[string][]byte
	holder string
	alone  bool // nobody takes the VIP from the holder
	said   []string
	// active is how many active connections a director counts of a real server, so long
	// after one of them got the weight 0 there (-1s: before); -1 is no row.
	active  func(director, server string, since time.Duration) int
	drained map[string]time.Time
}

// way is the way to one of the two.
type way struct {
	*pair
	name   string
	staged []byte
	before map[string][]byte // the files, before the last change
}

var sharedVIP = host.VIP{VIP: keepalived.VIP{Address: netip.MustParsePrefix("192.0.2.229/24")}}

// leaving is the director of either host.
func leaving() directorModel {
	m := directorModel{Host: types.StringValue("a"), Drain: types.BoolValue(false), VRRP: vrrpOf(redisVRRP())}
	m.Artifacts = artifactsValue(host.Wanted(m.spec("").Artifacts()))
	return m
}

func newPair(t *testing.T, holder string) (*pair, *vipResource) {
	return pairOf(t, holder, sharedVIP)
}

func pairOf(t *testing.T, holder string, vip host.VIP) (*pair, *vipResource) {
	p := &pair{bare: string(bareHost(t)), files: map[string]map[string][]byte{}, holder: holder, drained: map[string]time.Time{}}
	f := &fleet{hosts: map[string]*host.Host{}}
	for _, name := range []string{"a", "b"} {
		p.files[name] = map[string][]byte{}
		for _, artifact := range slices.Concat(leaving().spec("").Artifacts(), vip.Artifacts()) {
			if file, ok := artifact.(host.File); ok {
				p.files[name][file.Path] = file.Content
			}
		}
		f.hosts[name] = host.New(name, &way{pair: p, name: name})
	}
	return p, &vipResource{fleet: f}
}

func (w *way) Target() string { return w.name }

func (w *way) Stage(_ context.Context, files []remote.StagedFile, use func(string) error) error {
	w.staged = files[0].Content
	return use("/tmp/staged")
}

func (w *way) RunFresh(ctx context.Context, cmd remote.Command) (remote.Result, error) {
	return w.Run(ctx, cmd)
}

func (w *way) Run(_ context.Context, cmd remote.Command) (remote.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case strings.Contains(cmd.Step, "journal"):
		return remote.Result{}, nil
	case strings.Contains(cmd.Step, "count"):
		return remote.Result{Stdout: []byte(w.table() + "==\n" + w.held())}, nil
	case len(cmd.Args) == 0, cmd.Args[0] == "settle":
	case cmd.Args[0] == "revert":
		w.files[w.name] = w.before
	case cmd.Args[0] == "start" && bytes.Contains(w.staged, []byte("\nawait_confirmation ")):
		return remote.Result{}, &remote.CommandError{Target: w.name, ExitCode: 76}
	default:
		w.change()
	}
	return remote.Result{Stdout: w.probe()}, nil
}

// change does what the staged bundle says of files.
func (w *way) change() {
	files := w.files[w.name]
	w.before = maps.Clone(files)
	for r := tar.NewReader(bytes.NewReader(w.staged)); ; {
		head, err := r.Next()
		if err != nil {
			return
		}
		content, _ := io.ReadAll(r)
		kind, rest, _ := strings.Cut(head.Name, ".")
		_, path, _ := strings.Cut(rest, "/")
		switch path = "/" + path; {
		case kind == "new" && path == keepalived.DrainPath:
			files[path] = content
			w.said = append(w.said, w.name+" drains: "+string(content[:1]))
			if keepalived.ParseDrain(content) && !w.alone {
				w.holder = map[string]string{"a": "b", "b": "a"}[w.name]
			}
		case kind == "new" && path == keepalived.VIPServicesPath(sharedVIP.Address.Addr()):
			files[path] = content
			w.said = append(w.said, w.name+" has"+w.weights())
			if strings.Contains(w.weights(), "=0") {
				w.drained[w.name] = time.Now()
			}
		case kind == "new":
			files[path] = content
		case kind == "files":
			for line := range strings.Lines(string(content)) {
				if words := strings.Fields(line); words[0] == "remove" {
					delete(files, words[2])
				}
			}
			if path := keepalived.VIPAddressPath(sharedVIP.Address.Addr()); files[path] == nil && w.before[path] != nil {
				w.said = append(w.said, w.name+" loses the VIP, held by "+w.holder)
			}
		}
	}
}

// held is the line of ip address show with the VIP, where the host holds it.
func (w *way) held() string {
	if _, configured := w.files[w.name][keepalived.VIPServicesPath(sharedVIP.Address.Addr())]; !configured || w.holder != w.name {
		return ""
	}
	return "2: eth0    inet 192.0.2.229/24 scope global secondary eth0\\       valid_lft forever preferred_lft forever\n"
}

func (w *way) vip() keepalived.VIP {
	address := sharedVIP.Address.Addr()
	vip, _ := keepalived.ParseVIP(w.files[w.name][keepalived.VIPAddressPath(address)], w.files[w.name][keepalived.VIPServicesPath(address)])
	return vip
}

// weights are the real servers of all services, such as " redis/a=1".
func (w *way) weights() string {
	var text string
	for _, s := range w.vip().Services {
		for _, rs := range s.RealServers {
			text += fmt.Sprintf(" %s/%s=%d", s.Name, rs.Name, rs.Weight)
		}
	}
	return text
}

// table is /proc/net/ip_vs.
func (w *way) table() string {
	var text strings.Builder
	for _, s := range w.vip().Services {
		fmt.Fprintf(&text, "%s  %X:%04X %s\n", s.Protocol, w.vip().Address.Addr().As4(), s.Port, s.Scheduler)
		for _, rs := range s.RealServers {
			since, active := -time.Second, 0
			if at, ok := w.drained[w.name]; ok {
				since = time.Since(at)
			}
			if w.active != nil {
				active = w.active(w.name, rs.Name, since)
			}
			if active >= 0 {
				fmt.Fprintf(&text, "  -> %X:%04X      Route   %d      %d          0\n", rs.Address.As4(), rs.Port, rs.Weight, active)
			}
		}
	}
	return text.String()
}

func (w *way) probe() []byte {
	text, _, _ := strings.Cut(w.bare, "== tar\n")
	text = strings.Replace(text, "ActiveState=inactive", "ActiveState=active", 1)
	text = strings.Replace(text, "2: eth0    inet6", w.held()+"2: eth0    inet6", 1)
	text += "== ipvs proc\n" + w.table()
	var archive bytes.Buffer
	packed := tar.NewWriter(&archive)
	for path, content := range w.files[w.name] {
		mode := int64(0o644)
		if strings.HasSuffix(path, ".sh") {
			mode = 0o755
		}
		_ = packed.WriteHeader(&tar.Header{Name: path[1:], Mode: mode, Uname: "root", Gname: "root", Size: int64(len(content)), Typeflag: tar.TypeReg})
		_, _ = packed.Write(content)
	}
	_ = packed.Close()
	return []byte(text + "== tar\n" + archive.String() + "\n== end\n")
}

// Its own priority may be the higher one, and it knows none of the connections yet.
func TestDirectorThatComesToAVIPDoesSoAsABackup(t *testing.T) {
	for name, c := range map[string]struct {
		holder string
		there  []string // who has the VIP already
		said   string
	}{
		"another one holds it":      {"b", []string{"b"}, "a has, a drains: 1, a drains: 0"},
		"nobody holds it":           {"", []string{"b"}, "a has"},
		"it comes to both":          {"", nil, "a has, b has"},
		"both have it, one of them": {"b", []string{"a", "b"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, r := newPair(t, c.holder)
				want := map[string][]host.Artifact{"a": sharedVIP.Artifacts(), "b": sharedVIP.Artifacts()}
				for name := range want {
					for _, artifact := range sharedVIP.Artifacts() {
						if file, ok := artifact.(host.File); ok && !slices.Contains(c.there, name) {
							delete(p.files[name], file.Path)
						}
					}
				}
				var diags diag.Diagnostics
				check := func(string, *host.Snapshot) []host.Problem { return nil }
				texts := r.change(t.Context(), sharedVIP.Address.Addr(), want, nil, takingOut{}, types.MapNull(types.StringType), check, "Unable", &diags)
				if diags.HasError() || texts["a: file "+keepalived.DrainPath] != "" {
					t.Fatalf("%v, %v", diags, texts)
				}
				if got := strings.Join(p.said, ", "); got != c.said {
					t.Errorf("got %q, want %q", got, c.said)
				}
			})
		})
	}
}

func TestDirectorThatLeavesHandsTheVIPOverFirst(t *testing.T) {
	all := sharedVIP.Artifacts()
	for name, c := range map[string]struct {
		holder string
		want   map[string][]host.Artifact
		alone  bool
		said   []string
		words  string // of the error
	}{
		"it holds the VIP":         {"a", map[string][]host.Artifact{"b": all}, false, []string{"a drains: 1", "a loses the VIP, held by b", "a drains: 0"}, ""},
		"the other one holds it":   {"b", map[string][]host.Artifact{"b": all}, false, []string{"a loses the VIP, held by b"}, ""},
		"nobody takes it":          {"a", map[string][]host.Artifact{"b": all}, true, []string{"a drains: 1"}, "this host is not drained"},
		"the VIP goes as a whole":  {"a", nil, false, []string{"a loses the VIP, held by a", "b loses the VIP, held by a"}, ""},
		"it stays, with no change": {"a", map[string][]host.Artifact{"a": all, "b": all}, false, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, r := newPair(t, c.holder)
				p.alone = c.alone
				gone := map[string][]host.Artifact{}
				for _, name := range []string{"a", "b"} {
					gone[name] = host.Obsolete(all, c.want[name])
				}
				check := func(string, *host.Snapshot) []host.Problem { return nil }
				var diags diag.Diagnostics
				r.change(t.Context(), sharedVIP.Address.Addr(), c.want, gone, takingOut{}, types.MapNull(types.StringType), check, "Unable", &diags)
				if !slices.Equal(p.said, c.said) {
					t.Errorf("got %q, want %q", p.said, c.said)
				}
				if diags.HasError() != (c.words != "") || diags.HasError() && !strings.Contains(diags[0].Detail(), c.words) {
					t.Errorf("%v", diags)
				}
			})
		})
	}
}

// Terraform destroys a director before it changes the VIPs that referred to it.
func TestDirectorThatIsDestroyedHandsTheVIPOverFirst(t *testing.T) {
	var schema resource.SchemaResponse
	newDirectorResource().Schema(t.Context(), resource.SchemaRequest{}, &schema)
	state := tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil)}
	m := leaving()
	for name, value := range map[string]any{"host": m.Host, "drain": m.Drain, "vrrp": m.VRRP, "artifacts": m.Artifacts} {
		if diags := state.SetAttribute(t.Context(), path.Root(name), value); diags.HasError() {
			t.Fatal(diags)
		}
	}
	for name, c := range map[string]struct {
		holder   string
		alone    bool
		said     []string
		warnings int
	}{
		"it holds the VIP":       {"a", false, []string{"a drains: 1"}, 0},
		"the other one holds it": {"b", false, nil, 0},
		"there is no other one":  {"a", true, []string{"a drains: 1"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, vips := newPair(t, c.holder)
				p.alone = c.alone
				var resp resource.DeleteResponse
				(&directorResource{vips.fleet}).Delete(t.Context(), resource.DeleteRequest{State: state}, &resp)
				if resp.Diagnostics.HasError() || resp.Diagnostics.WarningsCount() != c.warnings {
					t.Errorf("%v", resp.Diagnostics)
				}
				if !slices.Equal(p.said, c.said) {
					t.Errorf("got %q, want %q", p.said, c.said)
				}
				for _, gone := range []string{keepalived.ConfigPath, keepalived.DrainPath} {
					if _, there := p.files["a"][gone]; there {
						t.Errorf("%s is still there", gone)
					}
				}
			})
		})
	}
}
