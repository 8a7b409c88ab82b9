package supervisor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/redislb/terraform-provider-redislb/internal/lab/qemu"
)

// Names of the supervisor's files in the lab's folder.
const (
	lockFile   = "supervisor.lock"
	socketFile = "control.sock"
	configFile = "supervisor.json"
	// LogFile gets what the supervisor prints.
	LogFile = "supervisor.log"
)

// Config is what a supervisor runs.
type Config struct {
	Machines []qemu.Config `json:"machines"`
}

// WriteConfig leaves c in dir for the supervisor that is about to start there.
func WriteConfig(dir string, c Config) error {
	content, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, configFile), content, 0o644)
}

func readConfig(dir string) (Config, error) {
	path := filepath.Join(dir, configFile)
	content, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	var c Config
	if err := json.Unmarshal(content, &c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
