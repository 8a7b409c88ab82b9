package redisconf

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// liveSettings are those that a running server is asked for: what people change by
// CONFIG SET, and what keeps data and host safe. probe.sh asks for them.
var liveSettings = []string{"maxmemory", "maxmemory-policy", "appendonly", "save", "protected-mode"}

// Live is what the running server of the instance tells when it is as configured.
func (i Instance) Live() string {
	limit, _ := Bytes(i.MaxMemory)
	return live(i.Role(), map[string]string{
		"maxmemory": fmt.Sprint(limit), "maxmemory-policy": i.MaxMemoryPolicy, "appendonly": yesNo(i.AppendOnly),
		"save": strings.Join(i.points(), " "), "protected-mode": yesNo(i.Protected),
	})
}

func live(role string, settings map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "answers, role: %s\n", role)
	for _, key := range liveSettings {
		fmt.Fprintln(&b, strings.TrimSpace(key+" "+settings[key]))
	}
	return b.String()
}

// ParseLive reads what redis-cli prints of INFO replication and CONFIG GET of each of
// the live settings, after an AUTH where there is a password, and returns it in the
// words of [Instance.Live]. What else the server says, a refusal above all, stands in
// front.
func ParseLive(text string) string {
	info := map[string]string{}
	settings := map[string]string{}
	var said []string
	lines := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	for n := 0; n < len(lines); n++ {
		l := lines[n]
		switch key, value, isInfo := strings.Cut(l, ":"); {
		case slices.Contains(liveSettings, l) && n+1 < len(lines):
			n++
			settings[l] = lines[n]
		case isInfo && key == strings.ToLower(key) && !strings.Contains(key, " "):
			info[key] = value
		case l == "", l == "OK", strings.HasPrefix(l, "# "):
		case strings.Contains(l, "unknown command"): // it repeats the arguments, a password among them
			said = append(said, "it does not know a command that it was asked")
		default:
			said = append(said, l)
		}
	}
	role := info["role"]
	if role == "slave" {
		role = "replica of " + info["master_host"] + " " + info["master_port"]
		if master, err := netip.ParseAddr(info["master_host"]); err == nil {
			role = Instance{ReplicaOf: &Replica{Master: endpoint(master, info["master_port"])}}.Role()
		}
	}
	refused := ""
	if len(said) > 0 {
		refused = "(it says: " + strings.Join(said, "; ") + ")\n"
	}
	if role == "" {
		return "(no answer)\n" + refused
	}
	return refused + live(role, settings)
}
