//go:build lab

// Package lab names the commands that the lab builds, so that go.mod and go.sum cover them.
package lab

import (
	_ "github.com/containerd/nydus-snapshotter/cmd/containerd-nydus-grpc"
)
