//go:build lab

// Package lab names the commands that the lab builds, so that go.mod and go.sum cover them.
package lab

import (
	_ "github.com/containerd/containerd/v2/cmd/containerd"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
	_ "github.com/containerd/containerd/v2/cmd/ctr"
)
