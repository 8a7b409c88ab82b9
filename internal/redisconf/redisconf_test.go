package redisconf

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func instances() map[string]Instance {
	any4, any6 := netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("::")
	return map[string]Instance{
		"master": {
			Name: "main", Port: 6379, Bind: []netip.Addr{any4, any6}, Protected: true, Password: true,
			Databases: DefaultDatabases, MaxMemory: DefaultMaxMemory, MaxMemoryPolicy: DefaultMaxMemoryPolicy, Save: DefaultSave, Settings: map[string]string{},
		},
		"replica": {
			Name: "copy of the other", Port: 17379, Bind: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
			Databases: 4, MaxMemory: "64mb", MaxMemoryPolicy: "allkeys-lru", AppendOnly: true, Save: Never,
			ReplicaOf: &Replica{Master: netip.MustParseAddrPort("[2001:db8::11]:6379"), User: `o"dd`, Password: true},
			Settings:  map[string]string{"client-output-buffer-limit": "replica 256mb 64mb 60", "proc-title-template": `"a b"`, "unixsocket": ""},
		},
	}
}

func TestRenderIsWhatTheGoldenFilesSayAndParseReadsItBack(t *testing.T) {
	for name, i := range instances() {
		got := i.Render("# header\n")
		path := filepath.Join("testdata", name+".conf")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", path, got, want)
		}
		back, err := Parse(got)
		if err != nil || !reflect.DeepEqual(back, i) {
			t.Errorf("%s is read back (%v) as\n%+v\nwant\n%+v", name, err, back, i)
		}
	}
}

// TestRealRedisTakesWhatIsRenderedAndTellsItBack has Redis itself read each file, with
// passwords of every kind of byte, and redis-cli ask as probe.sh does.
func TestRealRedisTakesWhatIsRenderedAndTellsItBack(t *testing.T) {
	program, err := exec.LookPath("redis-check-rdb") // the server by another name
	if err != nil {
		t.Fatalf("there is no Redis to test with, which make unit installs: %v", err)
	}
	for name, i := range instances() {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			i.Port = listener.Addr().(*net.TCPAddr).Port
			listener.Close()
			secret := ` "quoted" \x41 'it' $HOME ü` + "\x7f\xff#"
			password, err := RenderPassword("", RequirePass, secret, 1, false)
			if err != nil {
				t.Fatal(err)
			}
			i.Password = true
			if i.ReplicaOf != nil {
				i.ReplicaOf.Password = true
			}
			dir := t.TempDir()
			conf := string(i.Render("# header\n"))
			conf = strings.ReplaceAll(conf, DataDir(i.Port), dir)
			for directive, text := range map[string][]byte{RequirePass: password, MasterAuth: bytes.Replace(password, []byte(RequirePass), []byte(MasterAuth), 1)} {
				path := filepath.Join(dir, directive)
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
				conf = strings.ReplaceAll(conf, credential(i.Port, directive), path)
			}
			path := filepath.Join(dir, "redis.conf")
			if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			server := exec.Command(program, path)
			server.Args[0], server.Stdout, server.Stderr = "redis-server", &log, &log
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
			ask := func(commands string) string {
				cli := exec.Command("redis-cli", "-h", "127.0.0.1", "-p", strconv.Itoa(i.Port))
				cli.Stdin = strings.NewReader(commands)
				out, _ := cli.CombinedOutput()
				return string(out)
			}
			_, word, _ := strings.Cut(string(password), RequirePass)
			auth := "AUTH" + word
			questions := "INFO replication\n"
			for _, key := range liveSettings {
				questions += "CONFIG GET " + key + "\n"
			}
			got := ""
			for deadline := time.Now().Add(10 * time.Second); got != i.Live() && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
				got = ParseLive(ask(auth + questions))
			}
			if got != i.Live() {
				t.Fatalf("it tells\n%s\nwant\n%s\nredis-cli:\n%s\nlog:\n%s", got, i.Live(), ask(auth+questions), log.String())
			}
			for what, c := range map[string]struct{ change, shows string }{
				"another role":        {map[bool]string{true: "REPLICAOF 192.0.2.66 7777", false: "REPLICAOF NO ONE"}[i.ReplicaOf == nil], "role: "},
				"another limit":       {"CONFIG SET maxmemory 77mb", "maxmemory 80740352\n"},
				"no more snapshots":   {`CONFIG SET save "5 5"`, "save 5 5\n"},
				"protected mode":      {"CONFIG SET protected-mode " + yesNo(!i.Protected), "protected-mode " + yesNo(!i.Protected)},
				"another eviction":    {"CONFIG SET maxmemory-policy volatile-ttl", "maxmemory-policy volatile-ttl\n"},
				"append only, or not": {"CONFIG SET appendonly " + yesNo(!i.AppendOnly), "appendonly " + yesNo(!i.AppendOnly)},
			} {
				ask(auth + c.change + "\n")
				if got := ParseLive(ask(auth + questions)); got == i.Live() || !strings.Contains(got, c.shows) {
					t.Errorf("%s does not show:\n%s", what, got)
				}
			}
			ask(auth + "CONFIG SET requirepass \"\"\n")
			if got := ParseLive(ask(auth + questions)); !strings.HasPrefix(got, "(it says: ") {
				t.Errorf("that the password went does not show:\n%s", got)
			}
			ask("CONFIG SET requirepass other\n")
			if got := ParseLive(ask(auth + questions)); !strings.HasPrefix(got, "(no answer)\n(it says: ") {
				t.Errorf("another password does not show:\n%s", got)
			}
		})
	}
}

func TestSettingsAreOneDirectiveEachWhateverTheySay(t *testing.T) {
	for key, value := range map[string]string{
		"hz": "10\nrequirepass x", "h z": "10", "Hz": "10", "": "x", "loglevel": "\"notice", "logfile": `"a"b`, "port": "1", "include": "/etc/shadow",
		"requirepass": "x", "masterauth": "x", "user": "x", "tls-key-file-pass": "x", "rename-command": `CONFIG ""`, "dir": "/", "syslog-ident": "a\rb",
	} {
		if ValidateSetting(key, value) == nil {
			t.Errorf("%q %q is let through", key, value)
		}
	}
	for key, value := range map[string]string{"hz": "10", "client-output-buffer-limit": "normal 0 0 0", "logfile": `""`, "unixsocket": "", "proc-title-template": `'it\'s "x"'`} {
		if err := ValidateSetting(key, value); err != nil {
			t.Errorf("%q %q is refused: %v", key, value, err)
		}
	}
}

func TestQuotedWordsAreReadBackWhole(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, word := range []string{"", "a", string(every), `\`, `\\x41`, `"`, `'`} {
		if got, err := splitArgs("x " + quote(word) + " y"); err != nil || !slices.Equal(got, []string{"x", word, "y"}) {
			t.Errorf("%q is read back as %q: %v", word, got, err)
		}
	}
	if got, err := splitArgs(`"\n\t\q" 'a\'b\n'`); err != nil || !slices.Equal(got, []string{"\n\tq", `a'b\n`}) {
		t.Errorf("escapes: %q %v", got, err)
	}
}

func TestValuesAreJudged(t *testing.T) {
	bytesOf := map[string]uint64{"0": 0, "1": 1, "2k": 2000, "2kb": 2048, "1M": 1e6, "3GB": 3 << 30, "7b": 7}
	for _, text := range slices.Sorted(maps.Keys(bytesOf)) {
		if got, err := Bytes(text); err != nil || got != bytesOf[text] {
			t.Errorf("%s: %d %v", text, got, err)
		}
	}
	for _, c := range []struct {
		check func(string) error
		bad   []string
		good  []string
	}{
		{ValidateMaxMemory, []string{"", "gb", "-1", "1tb", "1 gb", "10%", "99999999999gb", "1gbgb"}, []string{"512mb"}},
		{ValidateSave, []string{"", "60", "60 0", "60  1", " 60 1", "a b", "1 2 3", "60 1\n"}, []string{Never, "60 1", DefaultSave}},
		{ValidateBind, []string{"", "*", "-::1", "fe80::1%eth0", "224.0.0.1", "0.0.0.0\n", "2001:DB8::1"}, []string{"0.0.0.0", "::", "192.0.2.11"}},
	} {
		for _, text := range c.bad {
			if c.check(text) == nil {
				t.Errorf("%q is let through", text)
			}
		}
		for _, text := range c.good {
			if err := c.check(text); err != nil {
				t.Errorf("%q is refused: %v", text, err)
			}
		}
	}
}

func TestRedisOpenToTheNetworkIsRefusedUnlessItIsSaid(t *testing.T) {
	public := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.11")}
	local := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}
	for what, c := range map[string]struct {
		i    Instance
		want error
	}{
		"no password":     {Instance{Bind: public, Protected: true}, ErrOpen},
		"a password":      {Instance{Bind: public, Protected: true, Password: true}, nil},
		"said to be open": {Instance{Bind: public}, nil},
		"loopback only":   {Instance{Bind: local, Protected: true}, nil},
	} {
		if got := c.i.CheckOpen(); !errors.Is(got, c.want) {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestNothingOfAPasswordIsRepeated(t *testing.T) {
	got := ParseLive("ERR unknown command `AUTH`, with args beginning with: `hush`, \nrole:master\n")
	if strings.Contains(got, "hush") || !strings.HasPrefix(got, "(it says: ") {
		t.Errorf("%s", got)
	}
}

func TestOnlyTheVersionIsReadOfAPassword(t *testing.T) {
	for _, kept := range []bool{true, false} {
		text, err := RenderPassword("# h\n", RequirePass, "hush", 7, kept)
		if err != nil {
			t.Fatal(err)
		}
		version, isKept, err := ParsePasswordVersion(text)
		if version != 7 || isKept != kept || err != nil {
			t.Errorf("%d %v %v", version, isKept, err)
		}
	}
	if _, _, err := ParsePasswordVersion([]byte("requirepass hush\n")); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v", err)
	}
	if _, err := RenderPassword("", RequirePass, "", 1, false); err == nil {
		t.Error("an empty password is written")
	}
}
