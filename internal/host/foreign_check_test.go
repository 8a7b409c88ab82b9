package host

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// adoptedCheck is what becomes of a check that a foreign configuration has for both of its
// real servers; %s in it stands for the address of each.
func adoptedCheck(t *testing.T, global, service, check string) (keepalived.Check, string) {
	t.Helper()
	text := "global_defs {\n" + global + "\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.229/24\n}\n}\nvirtual_server 192.0.2.229 80 {\nprotocol TCP\nlvs_method DR\n" + service + "\n"
	for _, address := range []string{"192.0.2.11", "192.0.2.12"} {
		text += fmt.Sprintf("real_server %s 80 {\n%s\n}\n", address, strings.ReplaceAll(check, "%s", address))
	}
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file(text + "}\n")
	vips, lost := m.snapshot(t).foreignVIPs()
	if len(vips) != 1 || len(vips[0].Services) != 1 {
		t.Fatalf("%s\ngot %v\nlost %s", text, vips, strings.Join(lost, "\n"))
	}
	again, err := keepalived.ParseVIP(vips[0].Render())
	if err != nil || !reflect.DeepEqual(again, vips[0].VIP) {
		t.Errorf("%s\nis adopted as %+v, and read back as %+v, %v", text, vips[0].VIP, again, err)
	}
	return vips[0].Services[0].Check, strings.Join(lost, "\n")
}

func TestForeignChecksWithACounterpartAreAdoptedWithNothingLost(t *testing.T) {
	check := func(c keepalived.Check) keepalived.Check {
		c.Timeout, c.Retries, c.RetryDelay = 3*time.Second, 2, time.Second
		return c
	}
	http := func(h keepalived.HTTPCheck) keepalived.Check {
		return check(keepalived.Check{Kind: keepalived.CheckHTTP, HTTP: h})
	}
	script := func(timeout time.Duration, port int) keepalived.Check {
		c := check(keepalived.Check{Kind: keepalived.CheckScript, Script: "/usr/local/bin/check -a b", Port: port})
		c.Timeout = timeout
		return c
	}
	all := keepalived.HTTPCheck{Path: "/health?full=1", Host: "www.example.org", Status: "200 301-302"}
	allTLS := all
	allTLS.TLS = true
	timed := http(keepalived.HTTPCheck{Path: "/", Status: "200-299"})
	timed.Port, timed.Timeout, timed.Retries, timed.RetryDelay = 8080, 5*time.Second, 3, 2*time.Second
	for name, c := range map[string]struct {
		global, service, check string
		want                   keepalived.Check
	}{
		"TCP":                      {check: "TCP_CHECK {\nconnect_ip %s\nconnect_port 80\n}", want: check(keepalived.Check{Kind: keepalived.CheckTCP})},
		"HTTP with a path":         {check: "HTTP_GET {\nurl {\npath /\n}\n}", want: http(keepalived.HTTPCheck{Path: "/", Status: "200-299"})},
		"HTTP with all":            {check: "HTTP_GET {\nhttp_protocol 1.0\nurl {\npath /health?full=1\nstatus_code 200 301-302\n}\nvirtualhost www.example.org\n}", want: http(all)},
		"status in two statements": {check: "HTTP_GET {\nvirtualhost www.example.org\nurl {\npath /health?full=1\nstatus_code 200\nstatus_code 301-302\n}\n}", want: http(all)},
		"host of the URL":          {check: "HTTP_GET {\nurl {\nvirtualhost www.example.org\npath /health?full=1\nstatus_code 200 301-302\n}\nvirtualhost other.example.org\n}", want: http(all)},
		"host of the real server":  {service: "virtualhost other.example.org", check: "HTTP_GET {\nurl {\npath /health?full=1\nstatus_code 200 301-302\n}\n}\nvirtualhost www.example.org", want: http(all)},
		"host of the service":      {service: "virtualhost www.example.org", check: "HTTP_GET {\nurl {\npath /health?full=1\nstatus_code 200 301-302\n}\n}", want: http(all)},
		"TLS":                      {check: "SSL_GET {\nurl {\npath /health?full=1\nstatus_code 200 301-302\n}\nvirtualhost www.example.org\nenable_sni\n}", want: http(allTLS)},
		"times and port":           {check: "HTTP_GET {\nurl {\npath /\n}\nconnect_port 8080\nconnect_timeout 5\nnb_get_retry 3\ndelay_before_retry 2\n}", want: timed},
		"script":                   {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/check -a b %s 80\"\nmisc_timeout 5\nuser root\n}", want: script(5*time.Second, 0)},
		"script, other port":       {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/check -a b %s 8080\"\nmisc_timeout 5\n}", want: script(5*time.Second, 8080)},
		"script, no timeout":       {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/check -a b %s 80\"\n}", want: script(time.Minute, 0)},
		"script of the interval":   {service: "delay_loop 1.5", check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/check -a b %s 80\"\nmisc_timeout 0\n}", want: script(2*time.Second, 0)},
		"script of root":           {global: "script_user root root", check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/check -a b %s 80\"\n}", want: script(time.Minute, 0)},
		"script of root after all": {global: "script_user nobody", check: "MISC_CHECK {\nuser root\nmisc_path \"/usr/local/bin/check -a b %s 80\"\n}", want: script(time.Minute, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			got, lost := adoptedCheck(t, c.global, c.service, c.check)
			equal(t, "check", got, c.want)
			if lost != "" && lost != "line 2, global_defs: script_user: is another one than root, who runs the scripts of redislb" {
				t.Errorf("lost: %s", lost)
			}
		})
	}
}

func TestForeignHTTPChecksAreAdoptedWithoutWhatOnlyMakesThemStricter(t *testing.T) {
	got, lost := adoptedCheck(t, "", "", "HTTP_GET {\nurl {\npath /health\ndigest 9b3a0c85a887a256d6939da88aabd8cd\nregex hUsh\n}\nwarmup 3\n}")
	equal(t, "check", got, keepalived.Check{Kind: keepalived.CheckHTTP, Timeout: 3 * time.Second, Retries: 2, RetryDelay: time.Second, HTTP: keepalived.HTTPCheck{Path: "/health", Status: "200-299"}})
	equal(t, "lost", lost, strings.TrimSpace(`
line 19, virtual_server 192.0.2.229 80: real_server 192.0.2.11 80: HTTP_GET: url: digest: is not among what is read
line 20, virtual_server 192.0.2.229 80: real_server 192.0.2.11 80: HTTP_GET: url: regex: is not among what is read
line 22, virtual_server 192.0.2.229 80: real_server 192.0.2.11 80: HTTP_GET: warmup: is not among what is read
line 29, virtual_server 192.0.2.229 80: real_server 192.0.2.12 80: HTTP_GET: url: digest: is not among what is read
line 30, virtual_server 192.0.2.229 80: real_server 192.0.2.12 80: HTTP_GET: url: regex: is not among what is read
line 32, virtual_server 192.0.2.229 80: real_server 192.0.2.12 80: HTTP_GET: warmup: is not among what is read`))
}

func TestForeignChecksWithoutACounterpartAreAdoptedAsTCPAndTold(t *testing.T) {
	stands := "line 15, %s of real server 192.0.2.11: a check of type tcp stands in for it until you write another one: "
	for name, c := range map[string]struct {
		global, service, check string
		lost                   string
	}{
		"another kind":        {check: "SMTP_CHECK {\n}", lost: "redislb has none of its kind"},
		"no URL":              {check: "HTTP_GET {\n}", lost: "its path is none that"},
		"several URLs":        {check: "HTTP_GET {\nurl {\npath /hUsh\n}\nurl {\npath /two\n}\n}", lost: "its url is not taken over"},
		"HTTP 1.1":            {check: "SSL_GET {\nhttp_protocol 1.1\nurl {\npath /hUsh\n}\n}", lost: "its http_protocol is not taken over"},
		"another address":     {check: "HTTP_GET {\nconnect_ip 192.0.2.99\nurl {\npath /hUsh\n}\n}", lost: "its connect_ip is not taken over"},
		"odd path":            {check: "HTTP_GET {\nurl {\npath /hUsh|x\n}\n}", lost: "its path is none that"},
		"odd host":            {check: "HTTP_GET {\nurl {\npath /\n}\nvirtualhost hUsh|x\n}", lost: "its virtualhost is none that"},
		"odd status":          {check: "HTTP_GET {\nurl {\npath /\nstatus_code 700\n}\n}", lost: "its status_code is none that"},
		"unknown status":      {check: "HTTP_GET {\nurl {\npath /\nstatus_code $STATUS\n}\n}", lost: "its status_code is not taken over"},
		"unknown host":        {service: "virtualhost $HOST", check: "HTTP_GET {\nurl {\npath /\n}\n}", lost: "its virtualhost is none that"},
		"included":            {check: "HTTP_GET {\ninclude more.conf\nurl {\npath /\n}\n}", lost: "its include is not taken over"},
		"script, no address":  {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/check hUsh\"\n}", lost: "a check of type script has the address and the port of the real server as further arguments, so write a command that takes them"},
		"script, no argument": {check: "MISC_CHECK {\nmisc_path /usr/local/bin/hUsh\n}", lost: "a check of type script has the address and the port"},
		"script, none":        {check: "MISC_CHECK {\n}", lost: "a check of type script has the address and the port"},
		"script of another":   {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/hUsh 192.0.2.99 80\"\n}", lost: "a check of type script has the address and the port"},
		"script, no port":     {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/hUsh %s 080\"\n}", lost: "its last argument is not the port"},
		// keepalived takes the first word alone (notify.c, set_script_params_array).
		"script, not quoted":   {check: "MISC_CHECK {\nmisc_path /usr/local/bin/hUsh %s 80\n}", lost: "its misc_path is not taken over"},
		"script of the path":   {check: "MISC_CHECK {\nmisc_path \"hUsh %s 80\"\n}", lost: "its command is none that"},
		"script of a shell":    {check: "MISC_CHECK {\nmisc_path \"/bin/sh -c 'hUsh' %s 80\"\n}", lost: "its command is none that"},
		"script of weights":    {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/hUsh %s 80\"\nmisc_dynamic\n}", lost: "its misc_dynamic is not taken over"},
		"script of a fraction": {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/hUsh %s 80\"\nmisc_timeout 2.5\n}", lost: "its misc_timeout is no whole number"},
		"script of a user":     {check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/hUsh %s 80\"\nuser nobody\n}", lost: "its user is not taken over"},
		"script of users":      {global: "script_user nobody", check: "MISC_CHECK {\nmisc_path \"/usr/local/bin/hUsh %s 80\"\n}", lost: "script_user is another one than root"},
	} {
		t.Run(name, func(t *testing.T) {
			got, lost := adoptedCheck(t, c.global, c.service, c.check)
			equal(t, "kind", got.Kind, keepalived.CheckTCP)
			equal(t, "port", got.Port, 0)
			keyword, _, _ := strings.Cut(c.check, " ")
			if want := fmt.Sprintf(stands, keyword) + c.lost; !strings.Contains(lost, want) {
				t.Errorf("lost:\n%s\nwant\n%s", lost, want)
			}
			if strings.Contains(lost, "hUsh") {
				t.Errorf("a command or a URL is told: %s", lost)
			}
		})
	}
}

func TestForeignScriptsAreLookedAtByTheAdoptionThatHasThemRunAsRoot(t *testing.T) {
	m := bareMachine()
	m.files[keepalived.ConfigPath] = file("vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.229/24\n}\n}\nvirtual_server 192.0.2.229 80 {\nprotocol TCP\nlvs_method DR\nreal_server 192.0.2.11 80 {\nMISC_CHECK {\nmisc_path \"/usr/local/bin/check 192.0.2.11 80\"\n}\n}\n}\n")
	s := m.snapshot(t)
	d, err := DirectorOn(s)
	if err != nil {
		t.Fatal(err)
	}
	if text := rendered(steps(s, d.Artifacts(), nil)); !strings.Contains(text, "check_script /usr/local/bin/check root\n") {
		t.Errorf("nobody looks at the script:\n%s", text)
	}
}
