package main

import "testing"

func TestFrameworkIsHeardWhereTerraformShowsTraces(t *testing.T) {
	for _, c := range []struct {
		all, provider string
		want          bool
	}{
		{"", "", false},
		{"trace", "", true},
		{"JSON", "", true},
		{"DEBUG", "", false},
		{"DEBUG", "TRACE", true},
		{"TRACE", "INFO", false},
		{"yes please", "", true},
		{"off", "", false},
	} {
		env := map[string]string{"TF_LOG": c.all, "TF_LOG_PROVIDER": c.provider}
		if got := traced(func(name string) string { return env[name] }); got != c.want {
			t.Errorf("TF_LOG=%q TF_LOG_PROVIDER=%q: %v", c.all, c.provider, got)
		}
	}
}
