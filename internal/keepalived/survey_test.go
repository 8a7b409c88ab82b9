package keepalived_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func survey(t *testing.T, text string) keepalived.Survey {
	t.Helper()
	s, err := keepalived.SurveyOf([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFilesThatPeopleWroteAreSurveyed(t *testing.T) {
	for _, name := range []string{"seed-master", "seed-commented", "nasty"} {
		text, err := os.ReadFile("testdata/foreign/" + name + ".conf")
		if err != nil {
			t.Fatal(err)
		}
		told, err := json.MarshalIndent(survey(t, string(text)), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "foreign/"+name+".survey", append(told, '\n'))
	}
}

func TestOwnFilesAreSurveyedWithNothingUnreadButWhatRedislbAddsToThem(t *testing.T) {
	d := director()
	s := survey(t, string(d.Render()))
	if len(s.Instances) != 1 || s.Instances[0].Name != "VI_1" || *s.Instances[0].VirtualRouterID != 51 || *s.Instances[0].Priority != 100 {
		t.Errorf("got %+v", s.Instances)
	}
	if s.SyncDaemon == nil || s.SyncDaemon.Interface != "eth0" || s.SyncDaemon.Instance != "VI_1" || *s.SyncDaemon.ID != 51 {
		t.Errorf("got %+v", s.SyncDaemon)
	}
	_, services := redis().Render()
	s = survey(t, string(services))
	if len(s.Unread) > 0 || len(s.VirtualServers) != 1 || len(s.VirtualServers[0].RealServers) != 2 {
		t.Errorf("got %+v", s)
	}
}

// unread is what a survey leaves, each as "LINE STATEMENT: REASON".
func unread(s keepalived.Survey) string {
	var lines []string
	for _, u := range s.Unread {
		lines = append(lines, fmt.Sprintf("%d %s: %s", u.Line, u.Statement, u.Reason))
	}
	return strings.Join(lines, "\n")
}

func TestWhatASurveyDoesNotTellIsUnreadWithItsReason(t *testing.T) {
	for text, want := range map[string]string{
		"global_defs {\nlvs_timeouts tcp\n}":            "2 global_defs: lvs_timeouts: expected tcp, tcpfin or udp, each with its seconds",
		"protocl TCP":                                   "1 protocl: is not among what is read",
		"virtual_server 192.0.2.1 80 {\nprotocl TCP\n}": "2 virtual_server 192.0.2.1 80: protocl: is not among what is read",
		"virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.2 80 {\nwieght 1\n}\n}": "3 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: wieght: is not among what is read",
		"virtual_server 192.0.2.1 80 {\nlb_algo rr\nlvs_sched wrr\n}":               "2 virtual_server 192.0.2.1 80: lb_algo: is there again further down, and the last one counts",
		"virtual_server redis.example 80 {\n}":                                      `1 virtual_server: "redis.example" is no address`,
		"virtual_server 192.0.2.1 $PORT {\n}":                                       "1 virtual_server: has a parameter ($…), which is not filled in",
		"$PASS=s3cret":                                                              "1 $PASS: defines a parameter, which is not filled in anywhere",
		"@a $PASS=\\\nhUsh\\\n# no\n":                                               "1 @a $PASS: defines a parameter, which is not filled in anywhere",
		"include more.conf":                                                         "1 include: names other files, which are not read",
		"@a router_id x":                                                            "1 @a: is for some hosts only, and which one this is about is not known",
		"vrrp_instance V {\npriority high\n}":                                       `2 vrrp_instance V: priority: "high" is no whole number`,
		"vrrp_instance V {\nvirtual_ipaddress {\n192.0.2.1/24 dev eth1 label eth1:1\nredis.example\n}\n}":                                                     "3 vrrp_instance V: virtual_ipaddress: 192.0.2.1/24: what follows the address is left out\n4 vrrp_instance V: virtual_ipaddress: redis.example: is not among what is read",
		"virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.2 80 {\nTCP_CHECK {\n}\nMISC_CHECK {\nmisc_path x\n}\n}\n}":                                       "5 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: MISC_CHECK: is a further check, of which only the first one is told",
		"virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.2 80 {\nHTTP_GET {\nmisc_path x\nhttp_protocol 1.1\nurl {\npath /\n}\nurl {\npath /x\n}\n}\n}\n}": "4 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: HTTP_GET: misc_path: is not among what is read\n5 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: HTTP_GET: http_protocol: is another one than 1.0, which redislb has\n9 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: HTTP_GET: url: is a further one, of which only the first is read",
		"virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.2 80 {\nTCP_CHECK {\nconnect_ip 192.0.2.2\nconnect_ip 192.0.2.3\n}\n}\n}":                         "4 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: TCP_CHECK: connect_ip: is there again further down, and the last one counts\n5 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: TCP_CHECK: connect_ip: is another address than the real server's",
		"vrrp_instance V {\nvirtual_ipaddress {\n192.0.2.1/24 dev $IF\n}\n}":                                                                                  "3 vrrp_instance V: virtual_ipaddress: 192.0.2.1/24: has a parameter ($…), which is not filled in",
		"virtual_server 192.0.2.1 80 {\nlvs_method TUN type gue port 6080\n}":                                                                                 "2 virtual_server 192.0.2.1 80: lvs_method: what follows TUN is left out",
		"virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.2 80 {\ninhibit_on_failure perhaps\n}\n}":                                                         "3 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: inhibit_on_failure: expected nothing after it, or on or off",
		"virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.2 80 {\nTCP_CHECK {\nnb_get_retry 3\n}\n}\n}":                                                     "4 virtual_server 192.0.2.1 80: real_server 192.0.2.2 80: TCP_CHECK: nb_get_retry: is known to keepalived in HTTP_GET and SSL_GET alone; elsewhere it is retry",
		"global_defs {\nscript_user nobody\n}": "2 global_defs: script_user: is another one than root, who runs the scripts of redislb",
	} {
		if got := unread(survey(t, text)); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestSurveyTellsTheKindsOfVirtualServersAndWhatTheyMayHave(t *testing.T) {
	s := survey(t, `global_defs {
		router_id R
		lvs_sync_daemon eth0 VI_1
		lvs_timeouts tcp 3600 udp 30
	}
	virtual_server fwmark 3 { lvs_sched sh
		sh-port
		sh-fallback
		persistence_timeout
		persistence_granularity 255.255.255.0
		sorry_server 192.0.2.9
		ops
		quorum 2
		hysteresis 1
	}
	virtual_server group web {
		real_server 2001:db8::1 80 {
			uthreshold 5
			lthreshold 2
			inhibit_on_failure
			MISC_CHECK {
				misc_path "/check -a hUsh"
				misc_timeout 2.5
				retry 3
			}
		}
	}
	vrrp_instance V {
		version 3
		advert_int 0.3
		nopreempt
		unicast_src_ip 192.0.2.1
		unicast_peer {
			192.0.2.2
		}
		virtual_ipaddress {
			192.0.2.3
		}
		virtual_ipaddress {
			192.0.2.4
		}
		notify_master "/bin/tell -p hUsh"
	}`)
	told, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "foreign/kinds.survey", append(told, '\n'))
	if strings.Contains(string(told), "hUsh") {
		t.Error("an argument of a command is told")
	}
}

func TestWhatIsSaidForAllCountsWhereNothingElseIsSaid(t *testing.T) {
	s := survey(t, `vrrp_instance A {
		nopreempt
		preempt
	}
	vrrp_instance B {
		version 2
		preempt
		nopreempt
	}
	global_defs {
		vrrp_version 3
	}
	virtual_server 192.0.2.1 80 {
		real_server 192.0.2.2 80 {
			inhibit_on_failure off
			retry 5
			TCP_CHECK {
			}
		}
		real_server 192.0.2.3 80 {
			inhibit_on_failure yes
			weight 0
			HTTP_GET {
				nb_get_retry 1
				connect_timeout 2
				delay_before_retry 1.5
			}
		}
		real_server 192.0.2.4 80 {
			inhibit_on_failure
			MISC_CHECK {
			}
		}
		weight 7
		retry 4
		connect_timeout 3
		delay_before_retry 6
	}`)
	var told []string
	for _, i := range s.Instances {
		told = append(told, fmt.Sprintf("%s %d %t", i.Name, *i.Version, i.NoPreempt))
	}
	for _, r := range s.VirtualServers[0].RealServers {
		timeout := "none"
		if r.Check.Timeout != nil {
			timeout = r.Check.Timeout.String()
		}
		told = append(told, fmt.Sprintf("%s %d %t %d %s %s", r.Address, *r.Weight, r.InhibitOnFailure, *r.Check.Retries, timeout, *r.Check.RetryDelay))
	}
	want := []string{"A 3 false", "B 2 true", "192.0.2.2 7 false 5 3s 6s", "192.0.2.3 0 true 1 2s 1.5s", "192.0.2.4 7 true 4 none 6s"}
	if !slices.Equal(told, want) || len(s.Unread) > 0 {
		t.Errorf("got %q, unread %v\nwant %q", told, s.Unread, want)
	}
}

func TestOfStatementsThatHaveOneWordTheFirstCounts(t *testing.T) {
	s := survey(t, "vrrp_instance V {\npriority 90 <- 100 there\n}\nvirtual_server 192.0.2.1 80 {\nprotocol TCP or UDP\nlb_algo\n}")
	if len(s.Instances) != 1 || *s.Instances[0].Priority != 90 || s.VirtualServers[0].Protocol != "TCP" {
		t.Errorf("got %+v", s)
	}
	const reason = ": what follows its first word is left out, as it is by keepalived\n"
	if got, want := unread(s), "2 vrrp_instance V: priority"+reason+"5 virtual_server 192.0.2.1 80: protocol"+reason+"6 virtual_server 192.0.2.1 80: lb_algo: expected one value"; got != want {
		t.Errorf("unread\n%s\nwant\n%s", got, want)
	}
}

func TestVirtualServerOfAGroupIsToldForEachOfItsMembers(t *testing.T) {
	s := survey(t, `virtual_server group web {
		real_server 192.0.2.9 80 {
		}
	}
	virtual_server_group web {
		192.0.2.1 80
		192.0.2.2 81 # another
		192.0.2.3-9 80
		fwmark 7
		fwmark
		2001:db8::1
	}
	virtual_server group gone {
	}`)
	var told []string
	for _, v := range s.VirtualServers {
		told = append(told, fmt.Sprintf("%d %s %s %v %v %d", v.Line, v.Group, v.Address, v.Port != nil && *v.Port > 0, v.FWMark != nil && *v.FWMark == 7, len(v.RealServers)))
	}
	want := []string{"1 web 192.0.2.1 true false 1", "1 web 192.0.2.2 true false 1", "1 web  false true 1", "1 web 2001:db8::1 false false 1", "13 gone  false false 0"}
	if !slices.Equal(told, want) {
		t.Errorf("got %q\nwant %q", told, want)
	}
	const reason = "is neither an address with a port nor a firewall mark"
	if got, want := unread(s), "8 virtual_server_group web: 192.0.2.3-9: "+reason+"\n10 virtual_server_group web: fwmark: "+reason; got != want {
		t.Errorf("unread\n%s\nwant\n%s", got, want)
	}
}

func TestNoSecretIsInASurvey(t *testing.T) {
	for _, text := range []string{
		"vrrp_instance V {\nauthentication {\nauth_type PASS\nauth_pass hUsh\n}\n}",
		"vrrp_instance V {\nauthentication {\nauth_type PASS auth_pass hUsh\n}\n}",
		"vrrp_instance V {\nauthentication {\nauth_pass\nhUsh\nhUsh {\nhUsh\n}\n}\n}",
		"vrrp_instance V {\nauthentication {\nauth_pas hUsh\n}\n}",
		"vrrp_instance V {\nauth_pass hUsh\n}",
		"vrrp_instance V {\n@a auth_pass hUsh\n}",
		"vrrp_instance V {\nauth_hmac {\nkey 1 hUsh\nhUsh\n}\n}",
		"$SECRET=hUsh\n$S=\\\nhUsh \\\nhUsh\n",
		"vrrp_instance V {\npassword hUsh\n}\nauth_pass hUsh",
		"vrrp_instance V {\nnotify \"/bin/tell hUsh\"\nnotify_master /bin/tell hUsh\n}",
		"virtual_server 192.0.2.1 80 {\nvirtualhost hUsh\nreal_server 192.0.2.2 80 {\nvirtualhost hUsh\nHTTP_GET {\nvirtualhost hUsh\nconnect_ip hUsh\nhttp_protocol hUsh\nurl {\npath /?key=hUsh\nvirtualhost hUsh\nstatus_code hUsh\ndigest hUsh\n}\nurl {\npath /hUsh\n}\n}\n}\n}",
		"global_defs {\nscript_user hUsh\n}\nvirtual_server 192.0.2.1 80 {\nreal_server 192.0.2.2 80 {\nMISC_CHECK {\nmisc_path /bin/check hUsh\nuser hUsh\n}\n}\n}",
		"virtual_server 192.0.2.1 80 {\nquorum_up \"/bin/tell hUsh\"\nreal_server 192.0.2.2 80 {\nMISC_CHECK {\nmisc_path \"/bin/check hUsh\"\n}\n}\n}",
	} {
		s := survey(t, text)
		told, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(told), "hUsh") {
			t.Errorf("%s\nis told as %s", text, told)
		}
	}
}

func FuzzSurveyOf(f *testing.F) {
	for _, name := range []string{"seed-master", "seed-commented", "nasty"} {
		text, err := os.ReadFile("testdata/foreign/" + name + ".conf")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("vrrp_instance V {\nauthentication {\nauth_pass x\n}\n}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := keepalived.SurveyOf(text)
		if _, parsed := keepalived.Parse(text); (err == nil) != (parsed == nil) {
			t.Fatalf("got %v, the parser %v", err, parsed)
		}
		if !slices.IsSortedFunc(s.Unread, func(a, b keepalived.Unread) int { return a.Line - b.Line }) {
			t.Errorf("what is unread is out of order: %v", s.Unread)
		}
	})
}
