package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Each message leaves some kilobytes of garbage, most of it the server's, and
// little memory is in use: at Go's own setting a fan-out collects every few
// thousand tasks, which is an eighth of all its processor time. So garbage may take
// so many bytes more, up to a multiple of what is in use; where much is in use, as
// much as that again, which is Go's own setting.
const (
	garbageBytes = 128 << 20
	garbageMost  = 400 // percent of what is in use
	garbageLeast = 100
	garbageLook  = time.Second
)

// tuneMemory trades memory for processor time, until ctx ends. Who sets GOGC or
// GOMEMLIMIT has decided.
func tuneMemory(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(garbageMost)
	go func() {
		looks := time.NewTicker(garbageLook)
		defer looks.Stop()
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for percent := garbageMost; ; {
			select {
			case <-ctx.Done():
				return
			case <-looks.C:
			}
			metrics.Read(live)
			if now := garbagePercent(live[0].Value.Uint64()); now < percent*9/10 || now > percent*11/10 {
				percent = now
				debug.SetGCPercent(percent)
			}
		}
	}()
}

// garbagePercent is how much garbage there may be, as a percentage of what is in
// use.
func garbagePercent(live uint64) int {
	return max(garbageLeast, min(garbageMost, int(100*garbageBytes/max(live, 1))))
}
