package bench

import (
	"log/slog"
	"os"
)

// warnings is the log of a runtime that is measured: what it complains about
// goes to standard error, which is shown if the measure fails.
func warnings() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
