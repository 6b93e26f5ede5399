//go:build tools

// Package helm pins Helm, which renders the chart.
package helm

import _ "helm.sh/helm/v3/cmd/helm"
