module igpipe.test/programs

go 1.24
