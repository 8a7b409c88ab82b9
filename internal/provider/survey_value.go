package provider

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

// surveyValue is what is told of a keepalived.conf that anybody wrote. It is in the words
// of the resources, so that one can be written from it.
type surveyValue struct {
	RouterID       *string              `tfsdk:"router_id"`
	SyncDaemon     *syncValue           `tfsdk:"sync_daemon"`
	IPVSTimeouts   types.Object         `tfsdk:"ipvs_timeouts"`
	VRRPInstances  []instanceValue      `tfsdk:"vrrp_instances"`
	SyncGroups     []groupValue         `tfsdk:"sync_groups"`
	VirtualServers []virtualServerValue `tfsdk:"virtual_servers"`
	Unread         []unreadValue        `tfsdk:"unread"`
}

type syncValue struct {
	Interface string  `tfsdk:"interface"`
	Instance  *string `tfsdk:"instance"`
	ID        *int64  `tfsdk:"id"`
}

type instanceValue struct {
	Line            int64             `tfsdk:"line"`
	Name            string            `tfsdk:"name"`
	State           *string           `tfsdk:"state"`
	Interface       *string           `tfsdk:"interface"`
	VirtualRouterID *int64            `tfsdk:"virtual_router_id"`
	Priority        *int64            `tfsdk:"priority"`
	Version         *int64            `tfsdk:"version"`
	AdvertInterval  types.String      `tfsdk:"advert_interval"`
	Preempt         bool              `tfsdk:"preempt"`
	PreemptDelay    types.String      `tfsdk:"preempt_delay"`
	Authentication  *string           `tfsdk:"authentication"`
	VIPs            []string          `tfsdk:"vips"`
	ExcludedVIPs    []string          `tfsdk:"excluded_vips"`
	Unicast         *surveyedUnicast  `tfsdk:"unicast"`
	Notify          map[string]string `tfsdk:"notify"`
}

type groupValue struct {
	Line      int64    `tfsdk:"line"`
	Name      string   `tfsdk:"name"`
	Instances []string `tfsdk:"instances"`
}

type surveyedUnicast struct {
	Source *string  `tfsdk:"source"`
	Peers  []string `tfsdk:"peers"`
}

type virtualServerValue struct {
	Line             int64                `tfsdk:"line"`
	Address          *string              `tfsdk:"address"`
	Port             *int64               `tfsdk:"port"`
	FWMark           *int64               `tfsdk:"fwmark"`
	Group            *string              `tfsdk:"group"`
	Protocol         *string              `tfsdk:"protocol"`
	Scheduler        *string              `tfsdk:"scheduler"`
	SchedulerFlags   []string             `tfsdk:"scheduler_flags"`
	Forwarding       *string              `tfsdk:"forwarding"`
	OnePacket        bool                 `tfsdk:"one_packet"`
	Persistence      *surveyedPersistence `tfsdk:"persistence"`
	CheckInterval    types.String         `tfsdk:"check_interval"`
	InhibitOnFailure bool                 `tfsdk:"inhibit_on_failure"`
	Alpha            bool                 `tfsdk:"alpha"`
	Quorum           *int64               `tfsdk:"quorum"`
	Hysteresis       *int64               `tfsdk:"hysteresis"`
	SorryServer      *surveyedSorry       `tfsdk:"sorry_server"`
	RealServers      []surveyedRealServer `tfsdk:"real_servers"`
}

type surveyedPersistence struct {
	Timeout types.String `tfsdk:"timeout"`
	Mask    *string      `tfsdk:"mask"`
}

type surveyedSorry struct {
	Address string `tfsdk:"address"`
	Port    *int64 `tfsdk:"port"`
}

type surveyedRealServer struct {
	Line             int64          `tfsdk:"line"`
	Address          string         `tfsdk:"address"`
	Port             *int64         `tfsdk:"port"`
	Weight           *int64         `tfsdk:"weight"`
	InhibitOnFailure bool           `tfsdk:"inhibit_on_failure"`
	UpperThreshold   *int64         `tfsdk:"upper_threshold"`
	LowerThreshold   *int64         `tfsdk:"lower_threshold"`
	Check            *surveyedCheck `tfsdk:"check"`
}

type surveyedCheck struct {
	Keyword    string       `tfsdk:"keyword"`
	Port       *int64       `tfsdk:"port"`
	Timeout    types.String `tfsdk:"timeout"`
	Retries    *int64       `tfsdk:"retries"`
	RetryDelay types.String `tfsdk:"retry_delay"`
}

type unreadValue struct {
	Line      int64  `tfsdk:"line"`
	Statement string `tfsdk:"statement"`
	Reason    string `tfsdk:"reason"`
}

// surveyAttributes are those of a surveyValue.
func surveyAttributes() map[string]schema.Attribute {
	line := intResult("Its line in the text, from 1.")
	return map[string]schema.Attribute{
		"router_id": stringResult("`router_id` of `global_defs`."),
		"sync_daemon": objectResult("`lvs_sync_daemon`, or `lvs_sync_daemon_interface` of an instance, which tells other directors of the connections. Without an instance keepalived runs it in both roles.", map[string]schema.Attribute{
			"interface": stringResult("Its interface."),
			"instance":  stringResult("The VRRP instance whose role it follows."),
			"id":        intResult("The sync id."),
		}),
		"ipvs_timeouts": objectResult("`lvs_timeouts`, of the kernel's connections.", map[string]schema.Attribute{
			"tcp":     stringResult("Of an established connection, such as `15m`."),
			"tcp_fin": stringResult("Of one that one side has closed."),
			"udp":     stringResult("Of UDP."),
		}),
		"vrrp_instances": objectsResult("Each `vrrp_instance`.", map[string]schema.Attribute{
			"line":              line,
			"name":              stringResult("Its name."),
			"state":             stringResult("The state that it begins in: `MASTER` or `BACKUP`."),
			"interface":         stringResult("The interface of its advertisements."),
			"virtual_router_id": intResult("The virtual router id."),
			"priority":          intResult("The priority."),
			"version":           intResult("`version`, of VRRP, or else `vrrp_version` of `global_defs`."),
			"advert_interval":   stringResult("`advert_int`, such as `1s`."),
			"preempt":           boolResult("Whether it takes the VIPs from one of a lower priority: there is no `nopreempt`."),
			"preempt_delay":     stringResult("`preempt_delay`, such as `15s`."),
			"authentication":    stringResult("`PASS` or `AH` (`auth_type`), or `HMAC` (`auth_hmac`). Passwords and keys are not told."),
			"vips":              stringsResult("`virtual_ipaddress`: addresses, with the length of their network where it is written."),
			"excluded_vips":     stringsResult("`virtual_ipaddress_excluded`."),
			"unicast": objectResult("`unicast_src_ip` and `unicast_peer`; null: it speaks by multicast.", map[string]schema.Attribute{
				"source": stringResult("The own address."),
				"peers":  stringsResult("The addresses of the others."),
			}),
			"notify": schema.MapAttribute{
				MarkdownDescription: "The programs that are told of its state, by their keywords (`notify`, `notify_master` and such). Their arguments are not told.",
				Computed:            true,
				ElementType:         types.StringType,
			},
		}),
		"sync_groups": objectsResult("Each `vrrp_sync_group`.", map[string]schema.Attribute{
			"line":      line,
			"name":      stringResult("Its name."),
			"instances": stringsResult("Its VRRP instances, which change their state together."),
		}),
		"virtual_servers": objectsResult("Each `virtual_server`. It has an address or a firewall mark; that of a group is there for each of its members, or with the group alone where none is read.", map[string]schema.Attribute{
			"line":            line,
			"address":         stringResult("The virtual address."),
			"port":            intResult("Its port."),
			"fwmark":          intResult("The firewall mark."),
			"group":           stringResult("The `virtual_server_group` that it is written for."),
			"protocol":        stringResult("`protocol`, in lower case. keepalived takes `udp` where it is not written."),
			"scheduler":       stringResult("`lb_algo` or `lvs_sched`. keepalived takes `wlc` where it is not written."),
			"scheduler_flags": stringsResult("Flags of the scheduler (`mh-port` and such)."),
			"forwarding":      stringResult("`lb_kind` or `lvs_method`. keepalived takes `NAT` where it is not written."),
			"one_packet":      boolResult("`ops`."),
			"persistence": objectResult("`persistence_timeout` and `persistence_granularity`.", map[string]schema.Attribute{
				"timeout": stringResult("The time, such as `5m`; `0s` is no persistence."),
				"mask":    stringResult("The mask."),
			}),
			"check_interval":     stringResult("`delay_loop`, such as `6s`."),
			"inhibit_on_failure": boolResult("`inhibit_on_failure`."),
			"alpha":              boolResult("`alpha`: real servers get nothing before their first check."),
			"quorum":             intResult("`quorum`."),
			"hysteresis":         intResult("`hysteresis`."),
			"sorry_server": objectResult("`sorry_server`.", map[string]schema.Attribute{
				"address": stringResult("Its address."),
				"port":    intResult("Its port."),
			}),
			"real_servers": objectsResult("Each `real_server`.", map[string]schema.Attribute{
				"line":               line,
				"address":            stringResult("Its address."),
				"port":               intResult("Its port."),
				"weight":             intResult("`weight`, or else that of the virtual server."),
				"inhibit_on_failure": boolResult("`inhibit_on_failure`."),
				"upper_threshold":    intResult("`uthreshold`."),
				"lower_threshold":    intResult("`lthreshold`."),
				"check": objectResult("The first health check. What it does not say itself of times and retries is the real server's or the virtual server's. What it runs or asks for, with the hosts of `virtualhost`, is not told.", map[string]schema.Attribute{
					"keyword":     stringResult("`TCP_CHECK`, `HTTP_GET`, `MISC_CHECK` and such."),
					"port":        intResult("`connect_port`."),
					"timeout":     stringResult("`connect_timeout` or `misc_timeout`, such as `3s`."),
					"retries":     intResult("`retry`, or `nb_get_retry` of `HTTP_GET` and `SSL_GET`."),
					"retry_delay": stringResult("`delay_before_retry`, such as `1s`."),
				}),
			}),
		}),
		"unread": objectsResult("The statements that the result does not tell, in their order: what is not known (a typing error, perhaps, that keepalived passes over too), what redislb has no word for, includes, parameters and conditions.", map[string]schema.Attribute{
			"line":      line,
			"statement": stringResult("Its keyword, behind those of the blocks around it: `virtual_server 192.0.2.229 6379: protocl`. Arguments are not told, since they may be secret."),
			"reason":    stringResult("Why it is not read."),
		}),
	}
}

func optionalDuration(d *time.Duration) types.String {
	if d == nil {
		return types.StringNull()
	}
	return durationValue(*d)
}

// surveyOf is the survey as Terraform takes it.
func surveyOf(s keepalived.Survey) surveyValue {
	v := surveyValue{RouterID: optional(s.RouterID), IPVSTimeouts: ipvsTimeoutsOf(s.Timeouts), VRRPInstances: []instanceValue{}, SyncGroups: []groupValue{}, VirtualServers: []virtualServerValue{}, Unread: []unreadValue{}}
	if d := s.SyncDaemon; d != nil {
		v.SyncDaemon = &syncValue{d.Interface, optional(d.Instance), optionalInt(d.ID)}
	}
	for _, i := range s.Instances {
		v.VRRPInstances = append(v.VRRPInstances, surveyedInstance(i))
	}
	for _, g := range s.Groups {
		v.SyncGroups = append(v.SyncGroups, groupValue{int64(g.Line), g.Name, append([]string{}, g.Instances...)})
	}
	for _, s := range s.VirtualServers {
		v.VirtualServers = append(v.VirtualServers, surveyedVirtualServer(s))
	}
	for _, u := range s.Unread {
		v.Unread = append(v.Unread, unreadValue{int64(u.Line), u.Statement, u.Reason})
	}
	return v
}

func surveyedInstance(i keepalived.SurveyedInstance) instanceValue {
	v := instanceValue{
		Line: int64(i.Line), Name: i.Name, State: optional(i.State), Interface: optional(i.Interface),
		VirtualRouterID: optionalInt(i.VirtualRouterID), Priority: optionalInt(i.Priority), Version: optionalInt(i.Version),
		AdvertInterval: optionalDuration(i.AdvertInterval), Preempt: !i.NoPreempt, PreemptDelay: optionalDuration(i.PreemptDelay),
		Authentication: optional(i.Authentication), VIPs: append([]string{}, i.VIPs...), ExcludedVIPs: append([]string{}, i.ExcludedVIPs...), Notify: i.Notify,
	}
	if i.UnicastSource != "" || len(i.UnicastPeers) > 0 {
		v.Unicast = &surveyedUnicast{optional(i.UnicastSource), append([]string{}, i.UnicastPeers...)}
	}
	return v
}

func surveyedVirtualServer(s keepalived.SurveyedVirtualServer) virtualServerValue {
	v := virtualServerValue{
		Line: int64(s.Line), Address: optional(s.Address), Port: optionalInt(s.Port), FWMark: optionalInt(s.FWMark), Group: optional(s.Group),
		Protocol: optional(strings.ToLower(s.Protocol)), Scheduler: optional(s.Scheduler), SchedulerFlags: append([]string{}, s.SchedulerFlags...),
		Forwarding: optional(s.Forwarding), OnePacket: s.OnePacket, CheckInterval: optionalDuration(s.DelayLoop), InhibitOnFailure: s.InhibitOnFailure, Alpha: s.Alpha,
		Quorum: optionalInt(s.Quorum), Hysteresis: optionalInt(s.Hysteresis), RealServers: []surveyedRealServer{},
	}
	if s.PersistenceTimeout != nil || s.PersistenceMask != "" {
		v.Persistence = &surveyedPersistence{optionalDuration(s.PersistenceTimeout), optional(s.PersistenceMask)}
	}
	if s.SorryServer != "" {
		v.SorryServer = &surveyedSorry{s.SorryServer, optionalInt(s.SorryPort)}
	}
	for _, r := range s.RealServers {
		server := surveyedRealServer{
			Line: int64(r.Line), Address: r.Address, Port: optionalInt(r.Port), Weight: optionalInt(r.Weight), InhibitOnFailure: r.InhibitOnFailure,
			UpperThreshold: optionalInt(r.UpperThreshold), LowerThreshold: optionalInt(r.LowerThreshold),
		}
		if c := r.Check; c != nil {
			server.Check = &surveyedCheck{c.Keyword, optionalInt(c.Port), optionalDuration(c.Timeout), optionalInt(c.Retries), optionalDuration(c.RetryDelay)}
		}
		v.RealServers = append(v.RealServers, server)
	}
	return v
}
